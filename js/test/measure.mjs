// What the page feels of the engine: `node test/measure.mjs`. It prints medians; nothing here passes or fails.

import { fileURLToPath } from "node:url";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { Browser, wantedEngines } from "./browser.mjs";
import { control } from "./control.mjs";

const ROUNDS = 5;
const root = fileURLToPath(new URL("..", import.meta.url));
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

for (const engine of wantedEngines()) {
  const browser = await Browser.start(engine);
  console.log(`${engine} ${browser.version}, medians of ${ROUNDS}`);
  for (const thread of ["worker", "here"]) {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const homeserver = new Homeserver();
      const [matrix, controls] = await Promise.all([serve({ homeserver }), control(homeserver)]);
      const site = await serve({ folders: { "/": root } });
      await browser.first.goto(`${site.url}/test/pages/blank.html`);
      const run = "return (await import('/test/pages/measure.mjs')).run(...args)";
      rounds.push(await browser.first.run(run, thread, matrix.url, controls.url));
      await Promise.all([matrix.close(), controls.close(), site.close()]);
    }
    for (const what of Object.keys(rounds[0])) {
      console.log(`${thread.padEnd(8)} ${what.padEnd(56)} ${median(rounds.map((told) => told[what])).toFixed(1)}`);
    }
  }
  await browser.close();
}
