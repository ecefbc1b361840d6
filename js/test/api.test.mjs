// The packages in real browsers: `node test/api.test.mjs`.

import { fileURLToPath } from "node:url";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { wantedEngines } from "./browser.mjs";
import { control } from "./control.mjs";
import { runPages } from "./run.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
let failed = 0;
for (const thread of (process.env.HAOS_THREADS ?? "worker,here,memory").split(",")) {
  console.log(`# ${thread}`);
  const homeserver = new Homeserver();
  const [matrix, controls] = await Promise.all([serve({ homeserver }), control(homeserver)]);
  const site = await serve({ folders: { "/": root } });
  const options = { url: `${site.url}/test/pages/blank.html`, modules: ["/test/pages/api.mjs"] };
  failed += await runPages({ ...options, args: [thread, matrix.url, controls.url], engines: wantedEngines() });
  await Promise.all([matrix.close(), controls.close(), site.close()]);
}
process.exitCode = failed === 0 ? 0 : 1;
