// The application's own files: what Workbox does.

import { MEDIA_PATH } from "@haos/client";
import { createHandlerBoundToURL, matchPrecache, precacheAndRoute } from "workbox-precaching";
import { NavigationRoute, registerRoute, setCatchHandler } from "workbox-routing";
import { CacheFirst, NetworkOnly } from "workbox-strategies";

import type { ServeOptions } from "./sw.js";

/** Names that change with what they name, as bundlers make them. */
const HASHED = /[.-](?=[\w-]*\d)[\w-]{8,}\.\w+$|\/_next\/static\//;
/** The cache of files beside the precached ones, and the most of them that stay. */
const ASSETS = "haos-assets";
const MOST_ASSETS = 200;
/** What is never the shell's: the API of a homeserver of the same origin, and media. */
const NEVER = [/^\/_matrix\//, /^\/\.well-known\//, new RegExp(`^${MEDIA_PATH}`)];

/** Serves the shell and the files of the application. */
export function serveShell({ precache, shell, offline, except = [], assets = HASHED }: ServeOptions): void {
  precacheAndRoute([...precache]);
  if (shell !== undefined) {
    registerRoute(new NavigationRoute(createHandlerBoundToURL(shell), { denylist: [...NEVER, ...except] }));
  }
  registerRoute(new NavigationRoute(new NetworkOnly(), { denylist: NEVER }));
  registerRoute(
    ({ request, sameOrigin, url }) =>
      sameOrigin &&
      request.mode !== "navigate" &&
      !NEVER.some((path) => path.test(url.pathname)) &&
      assets.test(url.pathname),
    new CacheFirst({ cacheName: ASSETS, plugins: [{ cacheWillUpdate: onlyWhole, cacheDidUpdate: bounded }] }),
  );
  setCatchHandler(async ({ request }) => {
    const page = request.mode === "navigate" && offline !== undefined ? await matchPrecache(offline) : undefined;
    return page ?? Response.error();
  });
}

/** An error, a part or an answer that cannot be read is never kept. */
const onlyWhole = ({ response }: { response: Response }) =>
  Promise.resolve(response.status === 200 && response.type === "basic" ? response : null);

/** The oldest ones go: they are those of former versions. */
async function bounded(): Promise<void> {
  const cache = await caches.open(ASSETS);
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - MOST_ASSETS)).map((request) => cache.delete(request)));
}
