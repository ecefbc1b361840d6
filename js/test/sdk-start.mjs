// The start of matrix-js-sdk out of its store, beside the SDK's own, on an account of 20,399 events: `node test/sdk-start.mjs`.
// It prints medians and their ratio; nothing here passes or fails.

import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { serve } from "@haos/testing/node";

import { Browser, wantedEngines } from "./browser.mjs";
import { bundles } from "./sdk.mjs";

const WHAT = {
  list: "to the list of rooms",
  alone: "of that, the store alone",
  filled: "until every room has all its events",
};

const root = fileURLToPath(new URL("..", import.meta.url));
const { folder, versions } = await bundles("test/pages/sdk-start.mjs");
process.on("exit", () => rmSync(folder, { recursive: true }));
const site = await serve({ folders: { "/": root, "/bundles": folder } });
for (const engine of wantedEngines()) {
  const browser = await Browser.start(engine);
  // A page that is busy answers late.
  await browser.driver.manage().setTimeouts({ script: 600_000 });
  console.log(`${engine} ${browser.version}, medians of 5 in ms`);
  for (const version of versions) {
    await browser.first.goto(`${site.url}/test/pages/blank.html`);
    const run = "return (await import(args[0])).run(args[1])";
    const captured = `${site.url}/bundles/initial_sync_unlimited.json`;
    const told = await browser.first.run(run, `/bundles/${version}.js`, captured);
    for (const [what, { haos, IndexedDBStore: theirs }] of Object.entries(told)) {
      const figures = [
        haos.toFixed(0).padStart(6),
        theirs.toFixed(0).padStart(6),
        (theirs / haos).toFixed(1).padStart(6),
      ];
      console.log(`${version}  ${WHAT[what].padEnd(40)} haos, IndexedDBStore, ratio ${figures.join(" ")}`);
    }
  }
  await browser.close();
}
await site.close();
