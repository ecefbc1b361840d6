/**
 * The store of matrix-js-sdk over the HAOS offline store.
 *
 * @packageDocumentation
 */

export { HaosStore, type HaosStoreOptions } from "./store.js";
