// What a picture takes through the service worker: `node test/measure-sw.mjs`. It prints medians; nothing here passes or
// fails. Needs Chromium, whose commands end the worker for a cold start.

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { Browser } from "./browser.mjs";
import { until } from "./suite.mjs";
import { Site, worker } from "./sw/site.mjs";

const WARM = 100;
const COLD = 11;
const PICTURE = new Uint8Array(100_000).fill(7);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

const browser = await Browser.start("chromium");
const homeserver = new Homeserver();
const site = await Site.make();
await site.app();
const served = await serve({ homeserver, folders: { "/": site.folder } });
const tab = browser.first;
try {
  await tab.goto(served.url);
  await until("the worker serves", () => tab.run("return (await app.worker).servesMedia"), 60_000);
  await tab.run("await (await app.chat).login(args[0], { user: 'ada', password: 'any' })", served.url);
  const uri = homeserver.addFile(PICTURE, "image/png");
  const url = await tab.run("return app.mediaUrl(args[0])", uri);
  const once = () =>
    tab.run(
      `const begun = performance.now();
       const bytes = await (await fetch(args[0])).arrayBuffer();
       if (bytes.byteLength !== args[1]) throw new Error("another picture");
       return performance.now() - begun;`,
      url,
      PICTURE.length,
    );
  const times = async (count, before = async () => {}) => {
    const all = [];
    for (let n = 0; n < count; n += 1) {
      await before();
      all.push(await once());
    }
    return median(all);
  };
  const end = async () => {
    await browser.driver.sendAndGetDevToolsCommand("ServiceWorker.enable", {});
    await browser.driver.sendAndGetDevToolsCommand("ServiceWorker.stopAllWorkers", {});
  };
  const tell = (what, ms) => console.log(`${what.padEnd(64)} ${ms.toFixed(1)} ms`);

  console.log(
    `chromium ${browser.version}, a stored picture of ${PICTURE.length} bytes, medians of ${WARM} and of ${COLD}`,
  );
  await once();
  const listed = async () => {
    const body =
      "const begun = performance.now(); await (await fetch('/packages/web/register.js')).text(); return performance.now() - begun;";
    return tab.run(body);
  };
  const floor = [];
  for (let n = 0; n < WARM; n += 1) floor.push(await listed());
  tell("a precached file through the worker, for comparison", median(floor));
  tell("the worker runs, the engine of the page", await times(WARM));
  tell("the worker starts, the engine of the page", await times(COLD, end));
  await tab.run("await (await app.chat).close()");
  await tab.goto(`${served.url}/offline.html`);
  await once();
  tell("the worker runs, its own engine", await times(COLD));
  tell("the worker starts, its own engine", await times(COLD, end));
  console.log(`sw.js with Workbox: ${(await worker({ name: "chat", precache: [] })).length} bytes, not packed`);
} finally {
  await browser.close();
  await served.close();
  await site.remove();
}
