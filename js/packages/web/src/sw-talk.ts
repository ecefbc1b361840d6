// What goes between a page and the service worker that serves it.

import type { EngineMedia, Failure, MediaWanted, OutboxRow } from "@haos/client";

/** From the worker to a page, with a port for what is told. */
export type Asked =
  | { readonly haos: "media"; readonly wanted: MediaWanted }
  | { readonly haos: "send"; readonly deadlineMs: number };

/** From the page on that port: first that it takes the work, then what came of it. */
export type Told = { readonly isTaken: true } | Answer | { readonly failure: Failure };

/** What came of it: bytes, or whether something is left to send. */
export type Answer = { readonly media: EngineMedia } | { readonly isLeft: boolean };

/** From a page to the worker. */
export type Word = { readonly haos: "takeOver" } | { readonly haos: "secret"; readonly secret: Uint8Array | string };

/** The tag of Background Sync. */
export const TAG = "haos.outbox";

/** How long a wake-up may take to send, in milliseconds: browsers end a worker that takes some minutes. */
export const SEND_MS = 45_000;

/** How often the outbox is looked at meanwhile, in milliseconds. */
const LOOK_MS = 200;

/** Waits until nothing is left to send, or the time is over. Tells if something is left. */
export async function isLeftAfter(ms: number, outbox: () => Promise<readonly OutboxRow[]>): Promise<boolean> {
  const end = Date.now() + ms;
  for (;;) {
    // What is parked waits for a person.
    const isLeft = (await outbox()).some(({ status }) => status !== "parked" && status !== "sent");
    if (!isLeft || Date.now() > end) return isLeft;
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}
