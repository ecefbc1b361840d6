// Real browsers over WebDriver, with several tabs at once.

import { Builder } from "selenium-webdriver";

import { startDriver } from "./driver.mjs";

export { wantedEngines } from "./driver.mjs";

const LOOK_MS = 25;
const LIMIT_MS = 600_000;

/** Begins an async function's body in the page, and keeps its outcome there. */
const BEGIN = `
  const [key, body, args] = arguments;
  // The page's own: Firefox runs a script beside the page, where its import map does not count.
  const AsyncFunction = window.eval('(async () => {}).constructor');
  const outcomes = (window.__outcomes ??= {});
  outcomes[key] = {};
  new AsyncFunction('args', body)(args).then(
    (value) => (outcomes[key] = { done: true, value: value === undefined ? null : value }),
    (error) => (outcomes[key] = { done: true, error: String(error?.stack || '').includes(String(error))
      ? error.stack : error + '\\n' + (error?.stack ?? '') }));`;

/** A browser of one engine. */
export class Browser {
  #turn = Promise.resolve();

  /** @private */
  constructor(engine, driver, server) {
    this.engine = engine;
    this.driver = driver;
    this.server = server;
  }

  /**
   * Starts a browser: `chromium`, `firefox` or `webkit`. `options` are those of its driver.
   *
   * @param {string} engine
   * @param {{profile?: string}} [options]
   */
  static async start(engine, options) {
    const server = await startDriver(engine, options);
    try {
      const builder = new Builder().usingServer(server.url).withCapabilities(server.capabilities);
      const driver = await builder.build();
      const browser = new Browser(engine, driver, server);
      const capabilities = await driver.getCapabilities();
      browser.version = capabilities.get("browserVersion") ?? "";
      browser.first = new Tab(browser, await driver.getWindowHandle());
      return browser;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Opens another tab, or window, at an address. */
  async open(url, kind = "tab") {
    const tab = await this.inTurn(async () => {
      // The one before may be closed.
      await this.driver.switchTo().window(this.first.handle);
      await this.driver.switchTo().newWindow(kind);
      return new Tab(this, await this.driver.getWindowHandle());
    });
    await tab.goto(url);
    return tab;
  }

  /** Ends the browser and its driver. */
  async close() {
    await this.driver.quit().catch(() => {});
    await this.server.stop();
  }

  /** Ends the browser and its driver as a loss of power would. */
  kill() {
    return this.server.stop();
  }

  /** @private One command after the other: each is about the window that was switched to before. */
  inTurn(act) {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }
}

/** A tab of a browser. What runs in several of them runs at once. */
export class Tab {
  #serial = 0;

  /** @private */
  constructor(browser, handle) {
    this.browser = browser;
    this.handle = handle;
  }

  /** Loads a page and waits until it has. */
  goto(url) {
    return this.#here((driver) => driver.get(url));
  }

  /** Loads the page again. */
  async reload() {
    if (this.browser.engine !== "firefox") return this.#here((driver) => driver.navigate().refresh());
    // Its driver reloads past the service worker, as a person does with the shift key.
    await this.#here((driver) => driver.executeScript("window.__isOld = true; location.reload()"));
    const look = "return window.__isOld === undefined && document.readyState === 'complete'";
    const until = Date.now() + LIMIT_MS;
    while (!(await this.#here((driver) => driver.executeScript(look)).catch(() => false))) {
      if (Date.now() > until) throw new Error(`The page is not there again after ${LIMIT_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /**
   * Runs the body of an async function, which sees `args` as an array.
   *
   * @returns what it returns, as JSON has it; rejects with the page's error.
   */
  async run(body, ...args) {
    const key = `run${(this.#serial += 1)}`;
    await this.#here((driver) => driver.executeScript(BEGIN, key, body, args));
    const until = Date.now() + LIMIT_MS;
    for (;;) {
      const outcome = await this.#here((driver) =>
        driver.executeScript("return window.__outcomes ? window.__outcomes[arguments[0]] : null", key),
      );
      if (!outcome) throw new Error("The page that ran the script is gone");
      if (outcome.error !== undefined && outcome.error !== null) throw new Error(outcome.error);
      if (outcome.done) return outcome.value;
      if (Date.now() > until) throw new Error(`The script takes longer than ${LIMIT_MS / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Closes the tab. */
  close() {
    return this.#here((driver) => driver.close());
  }

  #here(act) {
    const { driver } = this.browser;
    return this.browser.inTurn(async () => {
      await driver.switchTo().window(this.handle);
      return act(driver);
    });
  }
}
