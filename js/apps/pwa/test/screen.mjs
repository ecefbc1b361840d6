// A tab with the application, used as a person does: by keys, clicks and what can be seen.

import { By, Key } from "selenium-webdriver";

import { until } from "../../../test/suite.mjs";

export { Key };

const SHOWN_MS = 20_000;

export class Screen {
  constructor(tab) {
    this.tab = tab;
  }

  /** Runs the body of a function in the page, which sees `args`. */
  js(body, ...args) {
    return this.#here((driver) => driver.executeScript(`const args = arguments[0]; ${body}`, args));
  }

  /** A command of the developer tools. */
  tools(command, params = {}) {
    return this.#here((driver) => driver.sendAndGetDevToolsCommand(command, params));
  }

  /** The page as large as a screen; `mobile` as on a phone. */
  async size(width, height, { scale = 1, mobile = false } = {}) {
    await this.tools("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile });
    await this.tools("Emulation.setTouchEmulationEnabled", { enabled: mobile });
  }

  /** What the device says of its colours and motion. */
  media(features) {
    const list = Object.entries(features).map(([name, value]) => ({ name, value }));
    return this.tools("Emulation.setEmulatedMedia", { features: list });
  }

  /** What the browser says of the network. The server is cut by itself. */
  async online(isOnline) {
    const [latency, downloadThroughput, uploadThroughput] = [0, -1, -1];
    await this.tools("Network.enable");
    await this.tools("Network.emulateNetworkConditions", {
      offline: !isOnline,
      latency,
      downloadThroughput,
      uploadThroughput,
    });
  }

  /** Waits until a function's body gives something that counts as true in the page, and returns it. */
  async until(what, body, ...args) {
    let seen;
    try {
      return await until(what, async () => (seen = await this.js(body, ...args).catch(() => undefined)), SHOWN_MS);
    } catch (error) {
      const shown = await this.js("return document.body.innerText").catch(String);
      throw new Error(`${error.message}; the page shows: ${shown.slice(0, 1500)} (${JSON.stringify(seen)})`);
    }
  }

  /** Waits until a text is in the page, or in the part of it that a selector names. */
  shows(text, selector = "body") {
    const look = `const [text, selector] = args;
      return [...document.querySelectorAll(selector)].some((it) => it.innerText?.includes(text));`;
    return this.until(`"${text}" is shown in ${selector}`, look, text, selector);
  }

  /** Waits until a text is not in the page. */
  hides(text, selector = "body") {
    const look = `const [text, selector] = args;
      return ![...document.querySelectorAll(selector)].some((it) => it.innerText?.includes(text));`;
    return this.until(`"${text}" is not shown in ${selector}`, look, text, selector);
  }

  /** The element of a selector, or one of them with a text or name. */
  async find(selector, named) {
    const look = `const [selector, named] = args;
      const fits = (it) => named === null || it.innerText?.includes(named) || it.ariaLabel?.includes(named);
      return [...document.querySelectorAll(selector)].findLast(fits);`;
    await this.until(
      `${selector} "${named ?? ""}" is there`,
      `${look.replace("return", "return !!")}`,
      selector,
      named ?? null,
    );
    return this.js(look, selector, named ?? null);
  }

  async click(selector, named) {
    const element = await this.find(selector, named);
    await this.#here(() => element.click());
  }

  /** Points at something. */
  async point(selector, named) {
    const element = await this.find(selector, named);
    await this.#here((driver) => driver.actions().move({ origin: element }).perform());
  }

  /** Writes into a field, in the place of what is there. */
  async fill(selector, text) {
    const element = await this.find(selector);
    await this.#here(() => element.sendKeys(Key.chord(Key.CONTROL, "a"), text));
  }

  /** Gives files to the field for them. */
  async attach(...paths) {
    await this.#here((driver) => driver.findElement(By.css("input[type=file]")).sendKeys(paths.join("\n")));
  }

  /** Presses keys, wherever the focus is. */
  async keys(...keys) {
    await this.#here((driver) =>
      driver
        .actions()
        .sendKeys(...keys)
        .perform(),
    );
  }

  /** What has the focus, in words. */
  focused() {
    return this.js(`const it = document.activeElement;
      return (it?.ariaLabel || it?.innerText || it?.name || it?.tagName || "").trim();`);
  }

  texts(selector) {
    return this.js("return [...document.querySelectorAll(args[0])].map((it) => it.innerText)", selector);
  }

  /** Logs in as the demo's user. */
  async logIn(server, { user = "ada", password = "secret" } = {}) {
    await this.fill("input[name=server]", server);
    await this.fill("input[name=user]", user);
    await this.fill("input[name=password]", password);
    await this.keys(Key.ENTER);
  }

  /** Opens a room of the list. */
  async open(name) {
    await this.click(".room", name);
    await this.shows(name, ".room-page h2");
    await this.until("the timeline is there", "return document.querySelector('.message') !== null");
  }

  /** A picture of what is seen, as a PNG in base64. */
  async picture() {
    await this.js("return document.fonts.ready.then(() => true)");
    // Nothing is pointed at, and what moves has come to rest.
    await this.#here((driver) => driver.actions().move({ x: 1, y: 1 }).perform());
    await new Promise((done) => setTimeout(done, 350));
    return (await this.tools("Page.captureScreenshot", { format: "png" })).data;
  }

  goto(url) {
    return this.tab.goto(url);
  }

  reload() {
    return this.tab.reload();
  }

  close() {
    return this.tab.close();
  }

  #here(act) {
    const { browser, handle } = this.tab;
    return browser.inTurn(async () => {
      await browser.driver.switchTo().window(handle);
      return act(browser.driver);
    });
  }
}
