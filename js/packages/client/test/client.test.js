// The client over an engine that the tests play.

import assert from "node:assert/strict";
import { test } from "node:test";

import { applyDiffs, createClient, HaosError, mediaUrl } from "../dist/index.js";

const tick = () => new Promise((done) => setTimeout(done, 0));
const failure = (code) => JSON.stringify({ code, message: `it is ${code}`, retryable: false });

/** An engine whose answers the test gives: `answer(call)` returns one, or nothing to let the call wait. */
function played(answer) {
  const engine = { calls: [], waiting: [], watches: 0, isClosed: false };
  engine.gone = new Promise((resolve) => (engine.kill = resolve));
  engine.call = (text) => {
    const call = JSON.parse(text);
    engine.calls.push(call);
    const given = answer(call, engine);
    if (given instanceof Error) return Promise.reject(given.message);
    if (given !== undefined) return Promise.resolve(JSON.stringify(given));
    return new Promise((resolve, reject) => engine.waiting.push({ call, resolve, reject }));
  };
  engine.sendFile = async () => JSON.stringify({ txnId: "t" });
  engine.media = async () => ({ bytes: new Uint8Array([1]), mime: "a/b", size: 1 });
  engine.close = async () => void (engine.isClosed = true);
  /** Answers the calls of a kind that wait. */
  engine.tell = async (kind, answer) => {
    const those = engine.waiting.filter(({ call }) => call.call === kind);
    engine.waiting = engine.waiting.filter(({ call }) => call.call !== kind);
    those.forEach(({ resolve }) => resolve(JSON.stringify(answer)));
    await tick();
  };
  return engine;
}

const listOf = (now) => (call, engine) => {
  if (call.call === "watch") return { watch: (engine.watches += 1), now };
  if (call.call === "unwatch") return null;
};

const text = (id, body) => ({ id, type: "event", content: { type: "text", body } });

test("an address of media names what it is of", () => {
  const size = { width: 96, height: 48 };
  const urls = [
    [["mxc://example.org/ada"], "/haos/media/example.org/ada"],
    [["mxc://example.org/ada", { ...size, crop: true }], "/haos/media/example.org/ada?width=96&height=48&method=crop"],
    [["mxc://[::1]:8448/a?b/c", size], "/haos/media/%5B%3A%3A1%5D%3A8448/a%3Fb%2Fc?width=96&height=48&method=scale"],
    [["mxc://example.org/a", { width: 5 }], "/haos/media/example.org/a"],
    [["mxc://example.org/a", { download: "ä&b.txt" }], "/haos/media/example.org/a?download=%C3%A4%26b.txt"],
    [["haos-local:t1"], "/haos/media/haos-local/t1"],
  ];
  for (const [args, url] of urls) assert.equal(mediaUrl(...args), url);
});

test("a list that takes every step is the engine's, whatever the steps", () => {
  // Every list of up to four of five items, from every other one, by steps of all kinds.
  const random = (
    (state) => () =>
      (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296
  )(7);
  for (let round = 0; round < 2000; round += 1) {
    const truth = Array.from({ length: Math.floor(random() * 6) }, (_, n) => `a${n}`);
    let mirror = [...truth];
    for (let step = 0; step < 8; step += 1) {
      const [at, to] = [Math.floor(random() * (truth.length + 1)), Math.floor(random() * truth.length)];
      let diff;
      if (truth.length === 0 || random() < 0.3) {
        diff = { type: "insert", index: at, item: `b${step}` };
        truth.splice(at, 0, diff.item);
      } else if (random() < 0.3) {
        diff = { type: "move", from: to, to: Math.floor(random() * truth.length) };
        truth.splice(diff.to, 0, truth.splice(diff.from, 1)[0]);
      } else if (random() < 0.4) {
        diff = { type: "set", index: to, item: `c${step}` };
        truth[to] = diff.item;
      } else if (random() < 0.5) {
        diff = { type: "remove", index: to };
        truth.splice(to, 1);
      } else {
        diff = { type: "truncate", len: at };
        truth.length = at;
      }
      mirror = applyDiffs(mirror, [diff]);
    }
    assert.deepEqual(mirror, truth);
  }
});

test("a step that does not fit is refused, and the list stays", () => {
  const list = Object.freeze(["a"]);
  for (const step of [
    { type: "insert", index: 2, item: "b" },
    { type: "set", index: 1, item: "b" },
    { type: "remove", index: -1 },
    { type: "move", from: 0, to: 1 },
    { type: "truncate", len: 2 },
  ]) {
    assert.throws(() => applyDiffs(list, [step]), { name: "HaosError", code: "invalid" });
  }
});

test("a live list follows, and tells once a change", async () => {
  const engine = played(listOf([text("1", "one")]));
  const chat = await createClient(async () => engine);
  const timeline = chat.timeline("!a");
  let told = 0;
  const stop = timeline.subscribe(() => (told += 1));
  assert.equal(timeline.value, undefined);
  assert.equal((await timeline.ready).length, 1);
  const before = timeline.value;
  await engine.tell("next", { next: [{ type: "insert", index: 1, item: text("2", "two") }] });
  assert.equal(timeline.value.length, 2);
  assert.notEqual(timeline.value, before);
  assert.equal(before.length, 1, "a value that was read stays as it was");
  assert.equal(told, 2);
  stop();
  await engine.tell("next", { next: [{ type: "truncate", len: 0 }] });
  assert.deepEqual([told, timeline.value], [2, []]);
  timeline.close();
  await tick();
  assert.deepEqual(engine.calls.at(-1), { call: "unwatch", watch: 1 });
});

test("whoever is slow gets one reset, and never a hole", async () => {
  const engine = played(listOf([]));
  const chat = await createClient(async () => engine);
  const timeline = chat.timeline("!a");
  await timeline.ready;
  const diffs = timeline.diffs();
  assert.deepEqual((await diffs.next()).value, [{ type: "reset", items: [] }]);
  for (let n = 0; n < 100; n += 1) {
    await engine.tell("next", { next: [{ type: "insert", index: n, item: text(`${n}`, "x") }] });
  }
  let mirror = [];
  let batches = 0;
  while (mirror.length < 100) {
    mirror = applyDiffs(mirror, (await diffs.next()).value);
    batches += 1;
  }
  assert.deepEqual(mirror, timeline.value);
  assert.ok(batches <= 40, `${batches} batches`);
});

test("an engine that is gone is replaced: lists begin anew, and what may be made again is", async () => {
  const engines = [];
  const chat = await createClient(async () => {
    const number = engines.length;
    const engine = played((call, self) => {
      if (call.call === "send" && number > 0) return { txnId: call.txnId };
      return listOf([text("1", `of engine ${number}`)])(call, self);
    });
    engines.push(engine);
    return engine;
  });
  const timeline = chat.timeline("!a");
  await timeline.ready;
  const diffs = timeline.diffs();
  await diffs.next();
  const sent = chat.send("!a", "hello");
  const edited = chat.edit("!a", { txnId: "t" }, "better");
  edited.catch(() => {});
  await tick();
  engines[0].kill();
  const { txnId } = await sent;
  assert.equal(txnId, engines[0].calls.find(({ call }) => call === "send").txnId, "the same transaction");
  await assert.rejects(edited, { code: "closed", retryable: true });
  assert.deepEqual((await diffs.next()).value, [{ type: "reset", items: [text("1", "of engine 1")] }]);
  assert.equal(timeline.value[0].content.body, "of engine 1");
  assert.equal(timeline.error, undefined);
  assert.equal(engines.length, 2);
});

test("an error is told and tried again", async () => {
  let fails = 1;
  const engine = played((call, self) => {
    if (call.call === "watch" && fails-- > 0) return new Error(failure("full"));
    return listOf([])(call, self);
  });
  const chat = await createClient(async () => engine);
  const rooms = chat.rooms();
  await assert.rejects(rooms.ready, (error) => error instanceof HaosError && error.code === "full");
  assert.equal(rooms.error.code, "full");
  await new Promise((done) => setTimeout(done, 200));
  assert.deepEqual([rooms.value, rooms.error], [[], undefined]);
});

test("a chat that is closed ends what is live and refuses the rest", async () => {
  const engine = played(listOf([]));
  const chat = await createClient(async () => engine);
  const rooms = chat.rooms();
  await rooms.ready;
  const waits = chat.account();
  waits.catch(() => {});
  await tick();
  const values = [];
  const reading = (async () => {
    for await (const value of rooms) values.push(value);
  })();
  await tick();
  await chat.close();
  await reading;
  assert.ok(engine.isClosed);
  assert.deepEqual(values, [[]]);
  await assert.rejects(chat.account(), { code: "closed" });
  await assert.rejects(chat.timeline("!a").ready, { code: "closed" });
  await chat.close();
});

test("one listener that throws does not keep the others from hearing", async () => {
  const engine = played(listOf([]));
  const chat = await createClient(async () => engine);
  const rooms = chat.rooms();
  const reported = [];
  const before = globalThis.reportError;
  globalThis.reportError = (error) => reported.push(error.message);
  try {
    let heard = 0;
    rooms.subscribe(() => {
      throw new Error("mine");
    });
    rooms.subscribe(() => (heard += 1));
    await rooms.ready;
    assert.deepEqual([heard, reported], [1, ["mine"]]);
  } finally {
    globalThis.reportError = before;
  }
});

test("a hundred thousand changes leave nothing behind", { timeout: 60_000 }, async () => {
  const changes = Number(process.env.HAOS_CHANGES ?? 20_000);
  let left = changes;
  const engine = played((call, self) => {
    if (call.call === "next") {
      left -= 1;
      if (left < 0) return undefined;
      return { next: [{ type: "set", index: 0, item: text("1", `${left}`) }] };
    }
    return listOf([text("1", "one")])(call, self);
  });
  engine.calls = { push() {} };
  const chat = await createClient(async () => engine);
  const timeline = chat.timeline("!a");
  await timeline.ready;
  const used = () => (globalThis.gc?.(), process.memoryUsage().heapUsed);
  while (left > changes * 0.8) await tick();
  const before = used();
  while (left > 0) await tick();
  const grown = used() - before;
  // What one change keeps, if any does.
  if (globalThis.gc !== undefined) assert.ok(grown / (changes * 0.8) < 16, `${grown} bytes`);
  assert.equal(timeline.value[0].content.body, "0");
  await chat.close();
});

/** A list that changes by itself, behind engines that answer late and are killed. */
function world(random) {
  const truth = [];
  const logs = [];
  let made = 0;
  const change = () => {
    const at = Math.floor(random() * (truth.length + 1));
    let step;
    if (truth.length === 0 || random() < 0.6)
      step = { type: "insert", index: at, item: text(`${made}`, `${(made += 1)}`) };
    else if (random() < 0.5) step = { type: "remove", index: Math.min(at, truth.length - 1) };
    else step = { type: "set", index: Math.min(at, truth.length - 1), item: text(`s${made}`, `${(made += 1)}`) };
    truth.splice(0, truth.length, ...applyDiffs(truth, [step]));
    logs.forEach((log) => log.push(step));
  };
  const engine = () => {
    const logsOf = new Map();
    let [number, isDead, kill] = [0, false, () => {}];
    const gone = new Promise((resolve) => (kill = () => ((isDead = true), resolve())));
    const late = async () => {
      for (let turns = Math.floor(random() * 4); turns > 0; turns -= 1) await tick();
      // Of an engine that was killed nothing comes any more.
      if (isDead) await new Promise(() => {});
    };
    const call = async (asked) => {
      const { call, watch } = JSON.parse(asked);
      await late();
      if (call === "watch") {
        logsOf.set((number += 1), []);
        logs.push(logsOf.get(number));
        const now = [...truth];
        await late();
        return JSON.stringify({ watch: number, now });
      }
      if (call !== "next") return "null";
      const log = logsOf.get(watch);
      while (log.length === 0) await late().then(tick);
      const next = log.splice(0);
      await late();
      return JSON.stringify({ next });
    };
    return { call, gone, kill, close: async () => void (isDead = true) };
  };
  return { truth, change, engine };
}

test(
  "over a port that is late and engines that are killed, a mirror is the engine's list",
  { timeout: 60_000 },
  async () => {
    const seeds = Number(process.env.HAOS_SEEDS ?? 30);
    for (let seed = 1; seed <= seeds; seed += 1) {
      let state = seed;
      const random = () => (state = (state * 1664525 + 1013904223) % 4294967296) / 4294967296;
      const { truth, change, engine } = world(random);
      let running;
      const chat = await createClient(async () => (running = engine()));
      const timeline = chat.timeline("!a");
      let mirror = [];
      const following = (async () => {
        for await (const steps of timeline.diffs()) mirror = applyDiffs(mirror, steps);
      })();
      let kills = 0;
      for (let turn = 0; turn < 60; turn += 1) {
        if (random() < 0.5) change();
        if (random() < 0.02 && kills < 1) {
          kills += 1;
          running.kill();
        }
        await tick();
      }
      change();
      const isSame = () => JSON.stringify(timeline.value) === JSON.stringify(truth);
      for (let turns = 0; turns < 2000 && !(isSame() && mirror.length === truth.length); turns += 1) await tick();
      assert.deepEqual(timeline.value, truth, `seed ${seed}`);
      assert.deepEqual(mirror, truth, `seed ${seed}`);
      await chat.close();
      await following;
    }
  },
);
