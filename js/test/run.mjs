// Runs what pages export as `run()`, in every engine that is wanted, and tells the results as TAP does.

import { Browser, wantedEngines } from "./browser.mjs";

/** @typedef {{name: string, error?: string, skip?: string}} Result One test of a page. */

/**
 * @param {object} options
 * @param {string} options.url the page, which may hold an import map
 * @param {string[]} options.modules the addresses of modules that export `run(...args)`, which returns `Result[]`
 * @param {unknown[]} [options.args] what `run` is given
 * @param {(browser: Browser, engine: string) => Promise<Result[]>} [options.more] tests that need several tabs
 * @param {string[]} [options.engines] default: what `HAOS_BROWSERS` names
 * @param {(line: string) => void} [options.print]
 * @returns {Promise<number>} the number of tests that failed
 */
export async function runPages({ url, modules, args = [], more, engines = wantedEngines(), print = console.log }) {
  let count = 0;
  let failed = 0;
  const tell = (prefix, results) => {
    if (results.length === 0) results = [{ name: "tests", error: "there is none" }];
    for (const { name, error, skip } of results) {
      count += 1;
      if (error !== undefined) failed += 1;
      const mark = error === undefined ? "ok" : "not ok";
      print(`${mark} ${count} - ${prefix}: ${name}${skip === undefined ? "" : ` # SKIP ${skip}`}`);
      if (error !== undefined) for (const line of String(error).split("\n")) print(`  # ${line}`);
    }
  };
  const attempt = async (prefix, act) => {
    const results = await act().catch((error) => [{ name: "runs", error: error.stack ?? String(error) }]);
    tell(prefix, results);
  };
  print("TAP version 13");
  for (const engine of engines) {
    let browser;
    await attempt(engine, async () => {
      browser = await Browser.start(engine);
      return [{ name: `starts (${browser.version})` }];
    });
    if (browser === undefined) continue;
    try {
      for (const module of modules) {
        await attempt(`${engine} ${module}`, async () => {
          await browser.first.goto(url);
          return browser.first.run("return (await import(args[0])).run(...args[1])", module, args);
        });
      }
      if (more !== undefined) await attempt(engine, () => more(browser, engine));
    } finally {
      await browser.close();
    }
  }
  print(`1..${count}`);
  print(`# pass ${count - failed}`);
  print(`# fail ${failed}`);
  return failed;
}
