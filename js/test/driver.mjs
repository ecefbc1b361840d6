// Drivers of browsers, as processes. Nothing is looked for or loaded by itself: every path is named.

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The engines that `HAOS_BROWSERS` may name. */
export const ENGINES = ["chromium", "firefox", "webkit"];

const START_MS = 30_000;

const CHROMIUM_ARGS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  // Containers have little in /dev/shm.
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--no-default-browser-check",
  // Else a tab behind another one is slowed down.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
];

const FIREFOX_PREFS = {
  "privacy.reduceTimerPrecision": false,
  "dom.min_background_timeout_value": 4,
  // Else it asks whether a site may keep data for good, and nobody answers.
  "dom.storageManager.prompt.testing": true,
  "dom.storageManager.prompt.testing.allow": true,
  "app.update.disabledForTesting": true,
  "datareporting.policy.dataSubmissionEnabled": false,
};

/**
 * The engines that `HAOS_BROWSERS` names, with commas between them; `all` for all. Default: chromium.
 *
 * @returns {string[]}
 */
export function wantedEngines() {
  const names = (process.env.HAOS_BROWSERS || "chromium").split(",").map((name) => name.trim());
  if (names.length === 1 && names[0] === "all") return ENGINES;
  for (const name of names) {
    if (!ENGINES.includes(name)) {
      throw new Error(`HAOS_BROWSERS names "${name}": name one or more of ${ENGINES.join(", ")}, or all`);
    }
  }
  return names;
}

/**
 * Starts an engine's driver. Chromium takes a folder with a profile, which stays.
 *
 * @param {string} engine
 * @param {{profile?: string}} [options]
 * @returns {Promise<{url: string, capabilities: object, stop(): Promise<void>}>}
 */
export async function startDriver(engine, { profile } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "haos-browser-"));
  const processes = [];
  const stop = async () => {
    for (const child of processes.reverse()) await end(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const port = await freePort();
    const env = { ...process.env, TMPDIR: folder };
    const start = (program, args) => {
      const child = launch(program, args, env);
      processes.push(child);
      return child;
    };
    let capabilities;
    if (engine === "chromium") {
      start(process.env.CHROMEDRIVER || "/usr/bin/chromedriver", [`--port=${port}`]);
      const binary = process.env.CHROMIUM || "/usr/bin/chromium";
      const args = [...CHROMIUM_ARGS, `--user-data-dir=${profile ?? join(folder, "profile")}`];
      const options = { "goog:chromeOptions": { binary, args }, "goog:loggingPrefs": { browser: "ALL" } };
      capabilities = { browserName: "chrome", ...options };
    } else if (engine === "firefox") {
      start(process.env.GECKODRIVER || "geckodriver", [`--port=${port}`, "--websocket-port=0"]);
      const binary = process.env.FIREFOX || "/usr/bin/firefox-esr";
      const options = { binary, args: ["-headless"], prefs: FIREFOX_PREFS };
      capabilities = { browserName: "firefox", "moz:firefoxOptions": options };
    } else {
      const screen = start("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
      env.DISPLAY = `:${await firstLine(screen)}`;
      delete env.WAYLAND_DISPLAY;
      // There is no graphics card behind that screen.
      env.WEBKIT_DISABLE_DMABUF_RENDERER = "1";
      env.WEBKIT_DISABLE_COMPOSITING_MODE = "1";
      env.LIBGL_ALWAYS_SOFTWARE = "1";
      start(process.env.WEBKITDRIVER || "WebKitWebDriver", [`--port=${port}`]);
      capabilities = { browserName: "MiniBrowser" };
    }
    const url = `http://127.0.0.1:${port}`;
    await answers(url, processes.at(-1));
    return { url, capabilities, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A process that leads a group, so that what it starts ends with it. It may run in a folder. */
export function launch(program, args, env, cwd) {
  const child = spawn(program, args, { env, cwd, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.log = "";
  const keep = (chunk) => (child.log = (child.log + chunk).slice(-2000));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  child.ended = new Promise((resolve) => {
    child.once("exit", (code) => resolve(`it ended with ${code}`));
    child.once("error", (error) =>
      resolve(error.code === "ENOENT" ? `${program} is missing: install it or set its path` : String(error)),
    );
  });
  return child;
}

/** Ends a process and its group. */
export async function end(child) {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The whole group is gone already.
  }
  await child.ended;
}

async function firstLine(child) {
  const text = new Promise((resolve) => child.stdout.once("data", (chunk) => resolve(String(chunk).trim())));
  const first = await Promise.race([text, child.ended]);
  if (!/^\d+$/.test(first)) throw new Error(`Xvfb names no display (${first}): ${child.log}`);
  return first;
}

async function answers(url, child) {
  let over;
  void child.ended.then((reason) => (over = reason));
  const until = Date.now() + START_MS;
  while (over === undefined && Date.now() < until) {
    const status = await fetch(`${url}/status`).catch(() => undefined);
    if (status?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`The driver does not answer (${over ?? "it hangs"}): ${child.log}`);
}

/** A port that nobody listens at. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
