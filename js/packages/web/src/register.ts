/**
 * The page's side of the service worker of `@haos/web/sw`.
 *
 * @packageDocumentation
 */

import type { Haos, HaosError } from "@haos/client";

import type { EngineFiles } from "./options.js";

/** How the service worker is registered. */
export interface RegisterOptions {
  /** The address of the application's script, which calls `serve` of `@haos/web/sw`. */
  readonly script: string | URL;
  /** The chat of this page, which may still be opening. It gives the worker the bytes of media, and sends at its word. */
  readonly chat: Haos | Promise<Haos>;
  /** What it controls; the script's folder, if nothing is said. */
  readonly scope?: string | undefined;
  /** `classic`, if nothing is said, as bundlers make it. */
  readonly type?: "classic" | "module" | undefined;
  /** Where the engine's files are, for a worker that sends with every page closed; beside this module if nothing is said. */
  readonly files?: EngineFiles | undefined;
  /**
   * The key or the passphrase of a sealed store, for the worker to send with every page closed. It keeps it in memory alone, and
   * has lost it once the browser ends it.
   */
  readonly secret?: Uint8Array | string | undefined;
}

/** What the worker did last while it sent on its own. */
export interface BackgroundReport {
  /** When it began, in milliseconds since 1970. */
  readonly atMs: number;
  /** What woke it: `sync`, `periodicsync` or `push`. */
  readonly by: string;
  /** `sent`: nothing is left; `left`: it is tried again; `failed`: see `error`. */
  readonly outcome: "sent" | "left" | "failed";
  /** Why it failed. `sealed`: the worker has no key, and a page has to be opened. */
  readonly error: HaosError | undefined;
}

/** The service worker, as this page has it. What changes is told to those who subscribe. */
export interface AppWorker {
  /** Why there is none; the chat works all the same. */
  readonly missing: HaosError | undefined;
  /** True while addresses of `mediaUrl` work in this page. */
  readonly servesMedia: boolean;
  /** `sync` where the browser wakes the worker when there is a network, even if every page is closed. */
  readonly background: "sync" | "none";
  /** True if a new version waits, or has taken over in another tab: this page shows it after `reload`. */
  readonly updateReady: boolean;
  /** Calls a function after every change, until the function that is returned is called. */
  subscribe(changed: () => void): () => void;
  /** Looks for a new version. Browsers do so by themselves with each navigation. */
  check(): Promise<void>;
  /** Closes the chat, lets the new version take over, and loads the page again. What is unsent stays in the outbox. */
  reload(): Promise<void>;
  /** What the worker did last in the background. */
  lastBackground(): Promise<BackgroundReport | undefined>;
  /** Ends what this page does for the worker; the worker stays. */
  close(): void;
}
