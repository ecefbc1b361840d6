// Runs a suite, and once more if it fails: `node test/again.mjs test/sw.test.mjs`. For what a browser does on its own from
// time to time, such as a page that never hears of its reload; what is wrong fails twice. Both outcomes are printed.

import { spawnSync } from "node:child_process";

const run = () => spawnSync(process.execPath, process.argv.slice(2), { stdio: "inherit" }).status ?? 1;
let status = run();
if (status !== 0) {
  console.log(`# ${process.argv[2]} failed, and is run again`);
  status = run();
}
process.exitCode = status;
