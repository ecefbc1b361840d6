// What an application must do in a browser, whatever built it.

import { serve } from "@haos/testing/node";

import { Browser } from "../test/browser.mjs";
import { equal, ok, until } from "../test/suite.mjs";
import { Page } from "./page.mjs";
import { beginWorld } from "./world.mjs";

const ADA = { user: "ada", password: "any" };

/** @typedef {(name: string, act: () => Promise<void>) => Promise<void>} Test Tells a test's outcome; rejects if it failed. */

/** The browsers that run or are started. */
const running = new Set();
let isOver = false;

/** Ends all browsers, whatever they do, for good. */
export async function stopBrowsers() {
  isOver = true;
  await Promise.allSettled([...running].map(async (starting) => (await starting).server.stop()));
}

/** Runs something with a world and a browser of its own. */
async function withBrowser(act) {
  const world = await beginWorld();
  let starting;
  try {
    if (isOver) throw new Error("It is over");
    starting = Browser.start("chromium");
    running.add(starting);
    await act(world, await starting);
  } finally {
    await starting?.then((browser) => browser.close()).catch(() => {});
    running.delete(starting);
    await world.close();
  }
}

/** An application as it is shipped: `url` is where it is served. All of it if `isWhole`, else what one tab does. */
export function shipped(url, test, isWhole) {
  return withBrowser(async (world, browser) => {
    let page;
    await test("someone logs in, and the timeline shows what the homeserver has", async () => {
      page = await Page.open(browser, url, { isFirst: true });
      await page.logIn({ server: world.url, ...ADA });
      await page.shows(world.bodies());
      await page.until("it is live", (seen) => seen.connection === "live");
    });
    const expected = world.bodies();
    await test("without the homeserver a message is kept, and is there after a reload", async () => {
      world.network.offline();
      await page.write("one");
      await page.shows([...expected, "one"], ["one"]);
      await page.tab.reload();
      await page.shows([...expected, "one"], ["one"]);
      await page.write("two");
      await page.shows([...expected, "one", "two"], ["one", "two"]);
      equal(world.bodies(), expected);
    });
    expected.push("one", "two");
    await test("with the homeserver it is delivered once, in order", async () => {
      world.network.online();
      await until("it is delivered", () => world.bodies().length >= expected.length, 60_000);
      await page.shows(expected);
      equal(world.bodies(), expected);
      equal(world.logins(), 1);
    });
    await test("unmounted while it loads, it leaves nothing running", async () => {
      await page.leaveOften([0, 1, 5, 20, 50, 100, 200, 400]);
      await page.lives(0);
      await page.comeBack();
      await page.shows(expected);
      await page.lives(1);
    });
    if (isWhole) await severalContexts(url, test, { world, browser, page, expected });
    await test("the console has no error and no warning", () => quiet(browser, world));
  });
}

/** The same with other tabs, without its worker, and after that was killed. */
async function severalContexts(url, test, { world, browser, page, expected }) {
  await test("of two tabs one syncs, and the other takes over", async () => {
    const other = await Page.open(browser, url);
    await other.shows(expected);
    await page.lives(2);
    const most = await world.mostSyncs(async () => {
      for (const body of ["three", "four", "five"]) {
        world.say(body);
        expected.push(body);
        await Promise.all([page.shows(expected), other.shows(expected)]);
      }
    });
    equal(most, 1, "contexts that sync");
    await quiet(browser, world);
    await page.tab.close();
    page = other;
    world.say("six");
    expected.push("six");
    await page.shows(expected);
  });
  await test("a worker that is killed loses no change", async () => {
    for (const n of [1, 2, 3]) {
      await page.writeAndKill(`before ${n}`);
      expected.push(`before ${n}`);
      await page.until("it is there", (seen) => seen.bodies.includes(`before ${n}`));
      await page.write(`after ${n}`);
      expected.push(`after ${n}`);
      await page.shows(expected);
    }
    equal(world.bodies(), expected);
    await page.lives(1);
  });
  await test("without a worker the page has the same", async () => {
    await page.tab.goto(`${url}/?thread=here`);
    await page.shows(expected);
    await page.write("seven");
    expected.push("seven");
    await page.shows(expected);
    equal((await page.read()).workers, 0, "workers that were made");
    await page.leaveOften([0, 1, 5, 20, 50, 100, 200, 400]);
    await page.lives(0);
    equal(world.bodies(), expected);
  });
}

/** An application as it is developed: React's strict mode mounts twice. */
export function developed(url, test) {
  return withBrowser(async (world, browser) => {
    let page;
    await test("in development someone is logged in once, over one worker", async () => {
      const query = new URLSearchParams({ server: world.url, ...ADA });
      page = await Page.open(browser, `${url}/?${query}`, { isFirst: true });
      await page.shows(world.bodies());
      await page.lives(1);
      equal((await page.read()).workers, 1, "workers that were made");
      equal(world.logins(), 1, "logins");
    });
    await test("in development a message is sent once", async () => {
      const expected = [...world.bodies(), "one"];
      await page.write("one");
      await page.shows(expected);
      equal(world.bodies(), expected);
    });
    await test("in development it may be unmounted while it loads", async () => {
      await page.leaveOften([0, 1, 5, 20, 50, 100, 200, 400]);
      await page.lives(0);
      await page.comeBack();
      await page.shows(world.bodies());
      equal(world.logins(), 1, "logins");
    });
    await test("in development the console has no error and no warning", () => quiet(browser, world));
  });
}

/** An application whose engine is on another host, and not beside its modules. */
export function elsewhere(url, engine, test) {
  return withBrowser((world, browser) =>
    test("the engine may be on another host", async () => {
      const query = new URLSearchParams({ server: world.url, ...ADA, engine });
      const page = await Page.open(browser, `${url}/?${query}`, { isFirst: true });
      await page.shows(world.bodies());
      const expected = [...world.bodies(), "one"];
      await page.write("one");
      await page.shows(expected);
      equal(world.bodies(), expected);
      await quiet(browser, world);
    }),
  );
}

/** An application whose pages may do as little as they need. */
export function strict(folder, test) {
  return withBrowser((world, browser) =>
    test("the page may have a strict content security policy", async () => {
      const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' ${world.url}; img-src data:`;
      const served = await serve({ folders: { "/": folder }, headers: { "Content-Security-Policy": policy } });
      try {
        const query = new URLSearchParams({ server: world.url, ...ADA });
        const page = await Page.open(browser, `${served.url}/?${query}`, { isFirst: true });
        await page.shows(world.bodies());
        await page.lives(1);
        await quiet(browser, world);
      } finally {
        await served.close();
      }
    }),
  );
}

/** Fails if the console has something to complain of, beside the homeserver that was not there. */
async function quiet(browser, world) {
  const entries = await browser.inTurn(() => browser.driver.manage().logs().get("browser"));
  const isExpected = ({ message }) => message.startsWith(`${world.url}/`) && message.includes("net::ERR_");
  const loud = entries.filter((entry) => ["WARNING", "SEVERE"].includes(entry.level.name) && !isExpected(entry));
  ok(loud.length === 0, loud.map(({ level, message }) => `${level.name}: ${message}`).join("\n"));
}
