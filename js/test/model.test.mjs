// The runner and the model homeserver in real browsers: `node test/model.test.mjs`.

import { fileURLToPath } from "node:url";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { runPages } from "./run.mjs";

const ROOM = "!lobby:haos.test";
const homeserver = new Homeserver();
homeserver.room(ROOM, { members: ["ada", "bob"] });
const matrix = await serve({ homeserver });
const site = await serve({ folders: { "/": fileURLToPath(new URL("..", import.meta.url)) } });
const url = `${site.url}/test/pages/blank.html`;

/** What runs in one tab does not wait for another one. */
async function tabsRunAtOnce(browser) {
  const other = await browser.open(url);
  const heard = browser.first.run(
    'return new Promise((done) => { new BroadcastChannel("tabs").onmessage = (event) => done(event.data); })',
  );
  const said = other.run(`
    const channel = new BroadcastChannel("tabs");
    const timer = setInterval(() => channel.postMessage("hello"), 10);
    await new Promise((done) => setTimeout(done, 500));
    clearInterval(timer);`);
  const error = (await heard) === "hello" ? {} : { error: "another message" };
  await said;
  const refused = await other.run('throw new Error("as it should")').catch((it) => it.message);
  await other.close();
  return [
    { name: "tabs run at once and hear of each other", ...error },
    { name: "an error of a page is told", ...(refused.includes("as it should") ? {} : { error: refused }) },
  ];
}

try {
  const failed = await runPages({ url, modules: ["/test/pages/model.mjs"], args: [matrix.url], more: tabsRunAtOnce });
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await Promise.all([matrix.close(), site.close()]);
}
