// What the page and the service worker tell each other for later, when the other one may not run.

import type { Failure } from "@haos/client";

/** What is noted. */
export interface Notes {
  /** Where the parts of the engine are. */
  files: { readonly first: string; readonly rest: string; readonly keys: string };
  /** How the worker sent last. */
  report: Report;
}

/** How the worker sent in the background. */
export interface Report {
  readonly atMs: number;
  readonly by: string;
  readonly outcome: "sent" | "left" | "failed";
  readonly failure?: Failure;
}

const CACHE = "haos-notes";

/** Notes something for the worker of a scope. Where there is no cache it is forgotten. */
export async function note<K extends keyof Notes>(scope: string, key: K, value: Notes[K]): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.put(address(scope, key), new Response(JSON.stringify(value)));
}

/** What was noted last. */
export async function noted<K extends keyof Notes>(scope: string, key: K): Promise<Notes[K] | undefined> {
  const cache = await caches.open(CACHE);
  const found = await cache.match(address(scope, key));
  return found === undefined ? undefined : ((await found.json()) as Notes[K]);
}

/** A key that nothing is ever fetched from. */
const address = (scope: string, key: string) => new URL(`.haos/${key}`, scope).href;
