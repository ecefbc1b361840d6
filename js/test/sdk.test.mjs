// The store of matrix-js-sdk under the SDK, in real browsers: `node test/sdk.test.mjs`.

import { rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { control } from "./control.mjs";
import { runPages } from "./run.mjs";
import { bundles } from "./sdk.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** With HAOS_CHANGES, as in a full run, there are more seeds, and the older SDK as well. */
const isFull = Boolean(process.env.HAOS_CHANGES);
const SEEDS = isFull ? 20 : 2;
const { folder, versions } = await bundles("test/pages/sdk.mjs");
let failed = 0;
for (const version of isFull ? versions : versions.slice(-1)) {
  console.log(`# ${version}`);
  const homeserver = new Homeserver();
  const servers = [
    await serve({ homeserver }),
    await control(homeserver),
    await serve({ folders: { "/": root, "/bundles": folder } }),
  ];
  const [matrix, controls, site] = servers.map(({ url }) => url);
  const args = [matrix, controls, `${site}/bundles/incremental_syncs.jsonl`, SEEDS];
  failed += await runPages({ url: `${site}/test/pages/blank.html`, modules: [`/bundles/${version}.js`], args });
  await Promise.all(servers.map((server) => server.close()));
}
await rm(folder, { recursive: true });
process.exitCode = failed === 0 ? 0 : 1;
