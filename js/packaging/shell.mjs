// Processes that end: each has a limit, and is ended by its id.

import { end, launch } from "../test/driver.mjs";

const LIMIT_MS = 180_000;
const START_MS = 60_000;

const env = { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CI: "1", NO_COLOR: "1" };
// What runs this is no part of what is run: of npm's own, the folder above all.
const OF_NPM = /^npm_(package_|lifecycle_|command|config_(local_)?prefix$|config_workspace)/;
for (const name of Object.keys(env)) if (OF_NPM.test(name)) delete env[name];
delete env.NODE_ENV;
delete env.NODE_OPTIONS;

/** The processes that run. */
const running = new Set();
let isOver = false;

function begin(program, args, folder) {
  if (isOver) throw new Error("It is over");
  const child = launch(program, args, env, folder);
  running.add(child);
  child.said = "";
  child.stdout.on("data", (chunk) => (child.said += chunk));
  return child;
}

async function stop(child) {
  await end(child);
  running.delete(child);
}

/** Runs a program to its end; what it says. Rejects with that if it fails. */
export async function run(program, args, folder) {
  const child = begin(program, args, folder);
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, LIMIT_MS, `it takes longer than ${LIMIT_MS / 1000} s`)));
  const over = await Promise.race([child.ended, late]);
  clearTimeout(timer);
  await stop(child);
  if (over === "it ended with 0") return child.said;
  throw new Error(`${program} ${args.join(" ")}: ${over}\n${child.said.slice(-6000)}\n${child.log}`);
}

/** Starts a server, and waits until it answers; what ends it. */
export async function start(program, args, folder, url) {
  const child = begin(program, args, folder);
  let over;
  void child.ended.then((reason) => (over = reason));
  const until = Date.now() + START_MS;
  while (over === undefined && Date.now() < until) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(30_000) }).catch(() => undefined);
    if (answer?.ok) return () => stop(child);
    await new Promise((done) => setTimeout(done, 50));
  }
  await stop(child);
  throw new Error(
    `${args.join(" ")} does not answer (${over ?? "it hangs"}): ${child.said.slice(-6000)}\n${child.log}`,
  );
}

/** Ends all that runs, for good. */
export async function stopAll() {
  isOver = true;
  await Promise.all([...running].map(stop));
}
