// The service worker: the application is there without a network, and media come from the store.

import { serve, type PrecacheEntry } from "@haos/web/sw";

/** What the application is made of, as it was built. */
declare const PRECACHE: readonly PrecacheEntry[];

serve({ name: "haos", precache: PRECACHE, shell: "/index.html" });
