/**
 * The offline-first chat in browsers.
 *
 * ```ts
 * import { open } from "@haos/web";
 *
 * const chat = await open({ name: "chat" });
 * ```
 *
 * On a server this module does nothing until `open` is called, which is refused there.
 *
 * @packageDocumentation
 */

import { createClient, type Haos, HaosError } from "@haos/client";

import type { EngineFiles, StoreOptions } from "./options.js";

export type { EngineFiles, StoreOptions } from "./options.js";

/** How a chat is opened. */
export interface OpenOptions extends StoreOptions {
  /** `worker` (where there are workers, and if nothing is said) keeps the page free; `here` runs in the page. */
  readonly thread?: "worker" | "here" | undefined;
  /** Makes the worker, where the application has a script of its own, which imports `@haos/web/worker`. */
  readonly worker?: (() => Worker) | undefined;
  /** Where the engine's files are. */
  readonly files?: EngineFiles | undefined;
}

/**
 * Opens a chat: no request is made, and what was read before is there. Of an origin's tabs and workers with the same name
 * one syncs and sends, and another takes over when it ends.
 *
 * @throws HaosError `sealed` and `wrong_key` ask for another secret; `unsupported` where there is no IndexedDB, as on a
 * server; `blocked` while another tab keeps an older version open.
 */
export async function open(options: OpenOptions): Promise<Haos> {
  if (typeof indexedDB === "undefined" && options.storage !== "memory") {
    const message = "there is no IndexedDB here: open the chat in a browser, such as in an effect, or in memory";
    throw new HaosError({ code: "unsupported", message });
  }
  const { thread, worker, files: given, ...store } = options;
  const files = { first: address(given?.first), rest: address(given?.rest), keys: address(given?.keys) };
  if (thread !== "here" && typeof Worker !== "undefined") {
    const { startRemote } = await import("./remote.js");
    return createClient(() => startRemote(worker ?? ownWorker, store, files));
  }
  const { startHere } = await import("./here.js");
  return createClient(() => startHere(store, files));
}

/** As text, which goes to a worker as well, and is the same there. */
const address = (file: string | URL | undefined) =>
  file === undefined ? undefined : new URL(file, globalThis.location?.href).href;

const ownWorker = () => new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "haos" });
