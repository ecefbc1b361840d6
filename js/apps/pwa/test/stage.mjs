// The application on a stage: built, served beside the model homeserver, and opened in a tab.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

import { serve } from "@haos/testing/node";

import { makeWorld } from "../demo/world.mjs";
import { Screen } from "./screen.mjs";

export const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const PICTURES = new URL("../../../../docs/pictures/", import.meta.url);
const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const DESKTOP = [1120, 720];
export const PHONE = [390, 780];

/**
 * Begins a world with the application in a tab. A site has an address, and so a storage, of its own.
 *
 * @param {import('../../../test/browser.mjs').Browser} browser
 */
export async function begin(browser, { world = {}, folder = DIST, login = true, path = "" } = {}) {
  const homeserver = await makeWorld(world);
  const options = { homeserver, folders: { "/": folder } };
  const stage = { homeserver, site: await serve(options) };
  const { url } = stage.site;
  const port = Number(new URL(url).port);
  const screens = [];
  return Object.assign(stage, {
    url,
    /** Another tab. */
    async tab(at = url) {
      const screen = new Screen(await browser.open("about:blank"));
      screens.push(screen);
      await screen.size(...DESKTOP);
      await screen.goto(at);
      return screen;
    },
    /** Nothing answers any more, and the browser says so. */
    async cut() {
      homeserver.network.offline();
      await stage.site.close();
      for (const screen of screens) await screen.online(false);
    },
    /** All is as before. */
    async mend() {
      homeserver.network.online();
      stage.site = await serve({ ...options, port });
      for (const screen of screens) await screen.online(true);
    },
    async end() {
      for (const screen of screens) await screen.close().catch(() => {});
      await stage.site.close();
    },
    screen: undefined,
    async start() {
      stage.screen = await stage.tab(`${url}/${path}`);
      if (login) {
        await stage.screen.logIn(url);
        await stage.screen.shows("Harbour walk", ".room-list");
      }
      return stage;
    },
  }).start();
}

/** What axe finds that is serious or worse, in words. */
export async function faults(screen) {
  await screen.js(`if (!window.axe) { ${axe} }`);
  const found =
    await screen.js(`return axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
    .filter((it) => it.impact === "serious" || it.impact === "critical")
    .map((it) => it.id + ": " + it.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + node.failureSummary)));`);
  return found;
}

/** Keeps a picture for the documentation, where HAOS_PICTURES=1 asks for that. */
export async function picture(screen, name) {
  const data = await screen.picture();
  if (process.env.HAOS_PICTURES !== "1") return;
  await mkdir(PICTURES, { recursive: true });
  await writeFile(new URL(`${name}.png`, PICTURES), Buffer.from(data, "base64"));
}
