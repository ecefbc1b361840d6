// What goes between a page and the worker that has its engine.

import type { EngineFiles, StoreOptions } from "./options.js";

/** To the worker. Each request has a number, and is answered by it. */
export type Request = { readonly id: number } & (
  | { readonly open: StoreOptions; readonly files: EngineFiles; readonly life: string }
  | { readonly call: string }
  | { readonly sendFile: readonly [room: string, facts: string, file: Blob] }
  | { readonly media: string }
  | { readonly close: true }
);

/** To the page. */
export type Answer = { readonly id: number } & (
  | { readonly ok: unknown }
  /** A failure as JSON text. */
  | { readonly failure: string }
);

/** The failure of what was thrown. */
export function failureOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return JSON.stringify({ code: "other", message, retryable: false, retryAfterMs: null, detail: null });
}
