/**
 * The service worker of an application: its shell and files by Workbox, media from the store, the outbox sent when the
 * browser wakes it.
 *
 * ```ts
 * import { serve } from "@haos/web/sw";
 *
 * serve({ name: "chat", precache: self.__WB_MANIFEST, shell: "/index.html" });
 * ```
 *
 * @packageDocumentation
 */

import { type EngineMedia, MEDIA_PATH, type MediaWanted } from "@haos/client";

import { keepSecret, OwnEngine } from "./sw-engine.js";
import { failureOf } from "./sw-failure.js";
import { answerMedia } from "./sw-media.js";
import { note } from "./sw-notes.js";
import { askPages } from "./sw-pages.js";
import { type LongEvent, scope } from "./sw-scope.js";
import { serveShell } from "./sw-shell.js";
import { SEND_MS, TAG, type Word } from "./sw-talk.js";

/** A file of the application, as bundlers list it. */
export interface PrecacheEntry {
  /** Its address. */
  readonly url: string;
  /** What changes with it; null where its name does. */
  readonly revision: string | null;
}

/** What is served. */
export interface ServeOptions {
  /** The name of the store, as `open` has it. */
  readonly name: string;
  /** The files of the application. They are there without a network, by their revisions. */
  readonly precache: readonly (PrecacheEntry | string)[];
  /** The page among them that answers navigations. Without it they go to the network. */
  readonly shell?: string | undefined;
  /** The page among them for a navigation that is neither the shell's nor has a network. */
  readonly offline?: string | undefined;
  /** Paths of navigations that the shell does not answer. */
  readonly except?: readonly RegExp[] | undefined;
  /** Which paths of other files never change what they name; those with a hash in their name, if nothing is said. */
  readonly assets?: RegExp | undefined;
}

/** Serves the application. Call it once, when the script is evaluated. */
export function serve(options: ServeOptions): void {
  const engine = new OwnEngine(options.name);

  scope.addEventListener("fetch", (event) => {
    const url = new URL(event.request.url);
    if (url.origin !== scope.location.origin || !url.pathname.startsWith(MEDIA_PATH)) return;
    event.stopImmediatePropagation();
    event.respondWith(answerMedia(event, (wanted, clientId) => read(engine, wanted, clientId)));
  });
  serveShell(options);

  scope.addEventListener("activate", (event) => event.waitUntil(scope.clients.claim()));
  scope.addEventListener("message", (event) => {
    const word = event.data as Partial<Word> | undefined;
    // Never by itself: a page says when nothing is under way.
    if (word?.haos === "takeOver") {
      endSending();
      event.waitUntil(scope.skipWaiting());
    }
    if (word?.haos === "secret") keepSecret((word as Extract<Word, { haos: "secret" }>).secret);
  });

  // An event that is rejected comes again.
  scope.addEventListener("sync", (event) => event.tag === TAG && event.waitUntil(send(engine, event)));
  scope.addEventListener("periodicsync", (event) => event.tag === TAG && event.waitUntil(send(engine, event)));
  scope.addEventListener("push", (event) => event.waitUntil(send(engine, event).catch(() => {})));
}

/** Ends the wake-ups that are under way: the next version cannot begin before, and takes them up. */
let endSending = (): void => {};
const isOver = new Promise<true>((resolve) => (endSending = () => resolve(true)));

async function read(engine: OwnEngine, wanted: MediaWanted, clientId: string): Promise<EngineMedia> {
  const answer = await askPages({ haos: "media", wanted }, clientId);
  return answer !== undefined && "media" in answer ? answer.media : engine.media(wanted);
}

/** Sends what waits, by a page or here. Tells if something is left. */
async function sendNow(engine: OwnEngine): Promise<boolean> {
  const answer = await askPages({ haos: "send", deadlineMs: SEND_MS });
  return answer !== undefined && "isLeft" in answer ? answer.isLeft : engine.send(SEND_MS);
}

/** Sends what waits, and notes what came of it. */
async function send(engine: OwnEngine, { type: by }: LongEvent): Promise<void> {
  const atMs = Date.now();
  const tell = (report: { outcome: "sent" | "left" } | { outcome: "failed"; failure: ReturnType<typeof failureOf> }) =>
    note(scope.registration.scope, "report", { atMs, by, ...report });
  let isLeft;
  try {
    isLeft = await Promise.race([sendNow(engine), isOver]);
  } catch (thrown) {
    const failure = failureOf(thrown);
    await tell({ outcome: "failed", failure });
    // A person has to log in, or to open a page that has the secret: to come again is in vain.
    if (["not_logged_in", "sealed", "wrong_key"].includes(failure.code)) return;
    throw thrown;
  }
  await tell({ outcome: isLeft ? "left" : "sent" });
  if (isLeft) throw new Error("messages are left to send");
}
