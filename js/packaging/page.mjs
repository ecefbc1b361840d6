// A tab with the screen of an application.

import { until } from "../test/suite.mjs";

/** Keeps the workers that a page makes, so that they can be ended from outside. */
const BEFORE = `
  window.__workers = [];
  window.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      window.__workers.push(this);
    }
  };`;

const READ = `
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const items = [...document.querySelectorAll("#timeline li")];
  return {
    bodies: items.map((item) => item.textContent),
    unsent: items.filter((item) => item.dataset.state === "unsent").map((item) => item.textContent),
    count: text("#unsent"),
    connection: text("#connection"),
    alert: text("p[role=alert]"),
    hasLogin: document.querySelector("#login:not([hidden])") !== null,
    workers: window.__workers?.length,
    text: document.querySelector("#text")?.value,
  };`;

const WRITE = `
  const input = document.querySelector("#text");
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, args[0]);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  document.querySelector("#composer").requestSubmit();`;

const LOG_IN = `
  const form = document.querySelector("#login");
  for (const [name, value] of Object.entries(args[0])) form.elements.namedItem(name).value = value;
  form.requestSubmit();`;

/** What of the engine holds or wants a lock: each worker as long as it lives, and one context that leads. */
const LOCKS = `
  const { held, pending } = await navigator.locks.query();
  return [...held, ...pending].map(({ name }) => name).filter((name) => name.startsWith("haos"));`;

/** How long something may take to be shown, in milliseconds. */
const SHOWN_MS = 30_000;

export class Page {
  constructor(tab) {
    this.tab = tab;
  }

  /** Opens an address in a tab of its own, or in the first. */
  static async open(browser, url, { isFirst = false } = {}) {
    const tab = isFirst ? browser.first : await browser.open("about:blank");
    await browser.inTurn(async () => {
      await browser.driver.switchTo().window(tab.handle);
      await browser.driver.sendAndGetDevToolsCommand("Page.addScriptToEvaluateOnNewDocument", { source: BEFORE });
    });
    await tab.goto(url);
    return new Page(tab);
  }

  read() {
    return this.tab.run(READ);
  }

  /** Waits until what is shown is as it should be. */
  async until(what, look) {
    let seen;
    try {
      return await until(
        what,
        async () => {
          seen = await this.read();
          if (seen.alert) throw new Error(`The page says: ${seen.alert}`);
          return look(seen);
        },
        SHOWN_MS,
      );
    } catch (error) {
      throw new Error(`${error.message}; it shows ${JSON.stringify({ ...seen, bodies: seen?.bodies.slice(-5) })}`);
    }
  }

  /** Waits until the timeline has these messages, and these of them are unsent. */
  shows(bodies, unsent = []) {
    return this.until(`the timeline has ${bodies.length} messages, ${unsent.length} of them unsent`, (seen) => {
      const isCounted = seen.count === String(unsent.length);
      return isCounted && isSame(seen.bodies, bodies) && isSame(seen.unsent, unsent);
    });
  }

  /** Fills the form for a login. */
  async logIn(values) {
    await this.until("the form for a login is there", (seen) => seen.hasLogin);
    await this.tab.run(LOG_IN, values);
  }

  /** Writes a message and sends it. */
  write(body) {
    return this.tab.run(WRITE, body);
  }

  /** Writes a message, and ends the worker in the same turn. */
  writeAndKill(body) {
    return this.tab.run(`${WRITE}; window.__workers.at(-1).terminate();`, body);
  }

  /** Leaves and comes back, with so many milliseconds between, again and again. It is left at the end. */
  leaveOften(waits) {
    return this.tab.run(
      `const press = (ms) => {
         document.querySelector("#toggle").click();
         return new Promise((done) => setTimeout(done, ms));
       };
       await press(0);
       for (const ms of args[0]) {
         await press(ms);
         await press(ms % 7);
       }`,
      waits,
    );
  }

  /** Comes back. */
  comeBack() {
    return this.tab.run(`document.querySelector("#toggle").click()`);
  }

  /** Waits until so many workers of this origin live; without one, nothing holds a lock. */
  async lives(wanted) {
    let locks;
    const look = async () => {
      locks = await this.tab.run(LOCKS);
      const lives = new Set(locks.filter((name) => name.startsWith("haos-life"))).size;
      return lives === wanted && (wanted > 0 || locks.length === 0);
    };
    await until(`${wanted} workers live`, look, SHOWN_MS).catch((error) => {
      throw new Error(`${error.message}; there are ${locks}`);
    });
  }
}

const isSame = (one, other) => JSON.stringify(one) === JSON.stringify(other);
