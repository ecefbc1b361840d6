// The packages as newcomers meet them: packed, installed into empty folders, checked, built, and opened in Chromium.
//
//     node packaging/run.mjs [vite next14 next16 node plain]
//
// HAOS_KEEP=1 keeps the folders. What several tabs and killed workers do is tried in one of them, and Next 16 not at all;
// in all that are named here, and in a full run (HAOS_CHANGES), all of it is.

import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { serve } from "@haos/testing/node";

import { freePort } from "../test/driver.mjs";
import { developed, elsewhere, shipped, stopBrowsers, strict } from "./scenario.mjs";
import { run, start, stopAll } from "./shell.mjs";
import { look, pack, PACKAGES } from "./tarballs.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Where the screen goes, how a port is told, and where files are built; the slowest first. */
const CONSUMERS = {
  next14: { screen: "app", port: "-p" },
  next16: { screen: "app", port: "-p" },
  vite: { screen: "src", port: "--port", built: "dist" },
  plain: {},
  node: {},
};
const AT_ONCE = 2;
/** How long all of it may take, in milliseconds. */
const LIMIT_MS = 1_200_000;
/** How long one test may take, in milliseconds. */
const TEST_MS = 400_000;

let [count, failed] = [0, 0];
const beginning = Date.now();

function tell(name, error) {
  count += 1;
  if (error !== undefined) failed += 1;
  console.log(`${error === undefined ? "ok" : "not ok"} ${count} - ${name}`);
  if (error !== undefined) for (const line of String(error.message ?? error).split("\n")) console.log(`  # ${line}`);
}

/** A test failed, and was told. */
class Told extends Error {}

/** Does something; what fails is told, and ends nothing else. */
const attempt = (name, act) =>
  act().catch((error) => {
    if (!(error instanceof Told)) tell(name, error);
  });

/** What tells the outcomes of an application's tests, and rejects after one that failed. */
const testerOf = (prefix) => async (name, act) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It takes longer than ${TEST_MS / 1000} s`)), TEST_MS);
  });
  try {
    await Promise.race([act(), late]);
    tell(`${prefix}: ${name}`);
  } catch (error) {
    tell(`${prefix}: ${name}`, error);
    throw new Told();
  } finally {
    clearTimeout(timer);
  }
};

async function consume(name, tarballs, folder) {
  const { screen, port: flag, built } = CONSUMERS[name];
  const test = testerOf(name);
  const isWhole = names.length > 0 || Boolean(process.env.HAOS_CHANGES) || name === "vite";
  await cp(join(here, name), folder, { recursive: true });
  await cp(tarballs, join(folder, "tarballs"), { recursive: true });
  if (screen !== undefined) await cp(join(here, "screen.tsx"), join(folder, screen, "screen.tsx"));
  const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const script = (it, ...args) => ["run", "--silent", it, ...(args.length > 0 ? ["--", ...args] : [])];

  // What others' scripts might load is not needed.
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await test("installs", () => run("npm", ["install", ...flags], folder));
  await test("type-checks", () => run("npm", script("check"), folder));
  if (scripts.build !== undefined) await test("builds", () => run("npm", script("build"), folder));
  if (name === "node") return test("runs", () => run("npm", script("start"), folder));
  const parts = [];
  if (scripts.start === undefined) {
    const served = await serve({ folders: { "/": folder } });
    const engine = join(folder, "node_modules/@haos/web/dist/engine");
    parts.push(() => shipped(served.url, test, isWhole));
    parts.push(() => moved(engine, (origin) => elsewhere(served.url, origin, test)));
    parts.push(() => served.close());
  } else {
    const modes = { start: shipped, ...(isWhole || name === "next14" ? { dev: developed } : {}) };
    for (const [mode, act] of Object.entries(modes)) {
      parts.push(async () => {
        const port = await freePort();
        const url = `http://127.0.0.1:${port}`;
        const stop = await start("npm", script(mode, flag, String(port)), folder, url);
        await act(url, test, isWhole).finally(stop);
      });
    }
  }
  if (built !== undefined) parts.push(() => strict(join(folder, built), test));
  for (const part of parts) await attempt(`${name}: runs`, part);
}

/** Takes what is compiled out of a folder, and serves it on another origin while something is done. */
async function moved(folder, act) {
  const other = `${folder}-elsewhere`;
  await mkdir(other);
  const files = (await readdir(folder)).filter((file) => file.endsWith(".wasm"));
  for (const file of files) await rename(join(folder, file), join(other, file));
  const served = await serve({ folders: { "/": other }, headers: { "Access-Control-Allow-Origin": "*" } });
  await act(`${served.url}/`).finally(served.close);
}

/** Runs some at a time. */
async function inPool(jobs) {
  const work = async () => {
    for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) await job();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const names = process.argv.slice(2);
for (const name of names) {
  if (!(name in CONSUMERS)) throw new Error(`There is no ${name}: name some of ${Object.keys(CONSUMERS).join(", ")}`);
}
const folder = await mkdtemp(join(tmpdir(), "haos-packaging-"));
const clean = async () => {
  await Promise.all([stopAll(), stopBrowsers()]);
  if (process.env.HAOS_KEEP === "1") console.log(`# kept: ${folder}`);
  else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
};
const bail = async (reason) => {
  console.log(`Bail out! ${reason}`);
  await clean();
  process.exit(1);
};
const watchdog = setTimeout(bail, LIMIT_MS, `It takes longer than ${LIMIT_MS / 1000} s`);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void bail(signal));

console.log("TAP version 13");
await attempt("runs", async () => {
  const tarballs = join(folder, "tarballs");
  await mkdir(tarballs);
  await testerOf("packages")("are packed", () => pack(tarballs));
  const usual = Object.keys(CONSUMERS).filter((name) => process.env.HAOS_CHANGES || name !== "next16");
  const jobs = (names.length > 0 ? names : usual).map((name) => async () => {
    await attempt(`${name}: runs`, () => consume(name, tarballs, join(folder, name)));
    console.log(`# ${name} after ${Math.round((Date.now() - beginning) / 1000)} s`);
  });
  for (const name of PACKAGES) {
    const test = testerOf(`@haos/${name}`);
    jobs.push(() => attempt("", () => test("publint and attw find nothing", () => look(tarballs, name))));
  }
  await inPool(jobs);
});
clearTimeout(watchdog);
await clean();
console.log(`1..${count}`);
console.log(`# pass ${count - failed}`);
console.log(`# fail ${failed}`);
process.exit(failed === 0 ? 0 : 1);
