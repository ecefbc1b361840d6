// What scrolling through 20,000 messages takes: `node test/measure.mjs`. It prints figures; nothing here passes or fails.

import { Browser } from "../../../test/browser.mjs";
import { begin } from "./stage.mjs";

const MESSAGES = Number(process.env.HAOS_MESSAGES ?? 20_000);
const RUNS = 5;
const LONG = "!long:haos.test";
/** As far as a quick wheel goes in a frame, in pixels. */
const STEP_PX = 240;

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Scrolls up until nothing older comes, or so many frames are over; how long the frames took. */
const SCROLL = `const [step, most] = args;
  const scroller = document.querySelector(".scroller");
  window.scrolled = undefined;
  void new Promise((done) => {
    const frames = [];
    let last = performance.now();
    const begun = last;
    let mostNodes = 0;
    const next = (now) => {
      frames.push(now - last);
      last = now;
      scroller.scrollTop -= step;
      if (frames.length % 20 === 0) mostNodes = Math.max(mostNodes, document.querySelectorAll("*").length);
      const isOver = document.querySelector(".top p") !== null && scroller.scrollTop <= 0;
      if (isOver || now - begun > most) done({ frames: frames.slice(1), mostNodes, isOver, ms: now - begun });
      else requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  }).then((told) => (window.scrolled = told));`;

/** Scrolls, for longer than one script may take. */
async function scroll(screen) {
  await screen.js(SCROLL, STEP_PX, 400_000);
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000));
    const told = await screen.js("return window.scrolled ?? null");
    if (told !== null) return told;
  }
}

const browser = await Browser.start("chromium");
try {
  const stage = await begin(browser);
  const { homeserver, screen } = stage;
  homeserver.room(LONG, { name: "Long", members: ["ada", "bob"] });
  for (let n = 0; n < MESSAGES; n += 1) {
    homeserver.say(
      LONG,
      n % 5 === 0 ? "ada" : "bob",
      `Message ${n}${n % 9 === 0 ? ", which is a little longer than the others are".repeat(1 + (n % 4)) : ""}`,
    );
  }
  const heap = async () => {
    await screen.tools("HeapProfiler.collectGarbage");
    const { metrics } = await (await screen.tools("Performance.enable"), screen.tools("Performance.getMetrics"));
    return metrics.find(({ name }) => name === "JSHeapUsedSize").value / 1e6;
  };
  const rounds = [];
  // The first time they come from the server, and are not counted.
  for (let run = 0; run <= RUNS; run += 1) {
    await screen.reload();
    await screen.open("Long");
    const before = await heap();
    const { frames, mostNodes, isOver, ms } = await scroll(screen);
    const told = {
      "longest frame, ms": Math.max(...frames),
      "frames over 50 ms": frames.filter((it) => it > 50).length,
      "frame, median, ms": median(frames),
      "elements in the page, at most": mostNodes,
      "heap that it adds, MB": (await heap()) - before,
      "whole way, s": ms / 1000,
    };
    console.log(run === 0 ? "from the server" : `run ${run}`, isOver ? "" : "(not to the end)", JSON.stringify(told));
    if (run > 0) rounds.push(told);
  }
  console.log(`${MESSAGES} messages, medians of ${RUNS}`);
  for (const what of Object.keys(rounds[0])) {
    console.log(`${what.padEnd(32)} ${median(rounds.map((told) => told[what])).toFixed(1)}`);
  }
  await stage.end();
} finally {
  await browser.close();
}
