// What a browser loads of the engine, gzip -9 of minified files, beside what is committed: `node test/size.mjs`.
// `HAOS_BLESS=1` takes it as the budget.

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { build } from "esbuild";

import { worker as serviceWorker } from "./sw/site.mjs";

/** How much more than the budget fails. */
const SLACK = 1.02;

const root = new URL("..", import.meta.url);
const budgetFile = new URL("budget.json", root);
const packed = (bytes) => gzipSync(bytes, { level: 9 }).length;
const fileOf = async (path) => packed(await readFile(new URL(path, root)));

/** The scripts of an entry, without the engine's own. */
async function scripts(entry) {
  const options = { bundle: true, minify: true, format: "esm", platform: "browser", write: false, logLevel: "error" };
  const entryPoints = [fileURLToPath(new URL(entry, root))];
  const made = await build({
    ...options,
    entryPoints,
    external: ["./engine/*", "./remote.js", "./here.js"],
  });
  return packed(made.outputFiles[0].contents);
}

const engine = "packages/web/dist/engine";
const page = (await scripts("packages/web/dist/index.js")) + (await scripts("packages/web/dist/remote.js"));
const worker = await scripts("packages/web/dist/worker.js");
const glue = (await fileOf(`${engine}/haos_client_web.js`)) + (await fileOf(`${engine}/early.js`));
const first = await fileOf(`${engine}/haos_client_web_bg.wasm`);
const now = {
  "first load: page, worker, glue and first half": page + worker + glue + first,
  "page alone, before any WebAssembly": page,
  "the rest": await fileOf(`${engine}/haos_client_web_rest.wasm`),
  "what encrypted rooms need": await fileOf(`${engine}/haos_client_web_keys.wasm`),
};
const goals = { "first load: page, worker, glue and first half": 140 * 1024 };
/** The most of a service worker's script, as it is: the browser reads it whole each time that it starts. */
const MOST_OF_SW = 60 * 1024;

if (process.env.HAOS_BLESS) await writeFile(budgetFile, `${JSON.stringify(now, undefined, 2)}\n`);
const budget = JSON.parse(await readFile(budgetFile, "utf8"));
console.log(`${"bytes, gzip -9".padEnd(48)} ${"now".padStart(9)} ${"budget".padStart(9)} ${"goal".padStart(9)}`);
let failed = false;
for (const [name, bytes] of Object.entries(now)) {
  console.log(
    [name.padEnd(48), ...[bytes, budget[name], goals[name]].map((n) => String(n ?? "").padStart(9))].join(" "),
  );
  failed ||= !(bytes <= budget[name] * SLACK);
}
const sw = (await serviceWorker({ name: "chat", precache: [] })).length;
console.log(
  `${"a service worker with Workbox, not packed".padEnd(48)} ${[sw, MOST_OF_SW].map((n) => String(n).padStart(9)).join(" ")}`,
);
if (sw > MOST_OF_SW) {
  console.error("the script of a service worker is too large: what came to it?");
  process.exitCode = 1;
}
if (failed) {
  console.error("what is loaded grew by more than 2 %: make it smaller, or take it as the budget with HAOS_BLESS=1");
  process.exitCode = 1;
}
