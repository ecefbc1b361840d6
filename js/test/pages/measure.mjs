// One round of what `measure.mjs` prints.

import { open } from "@haos/web";

import { until } from "/test/suite.mjs";

const EVENTS = 5000;
const ROOMS = 50;

/** The longest pause between two turns of the page, in milliseconds, while something is done. */
async function blocked(act) {
  let [longest, last, isOver] = [0, performance.now(), false];
  const channel = new MessageChannel();
  channel.port1.onmessage = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) channel.port2.postMessage(0);
  };
  channel.port2.postMessage(0);
  const done = await act();
  isOver = true;
  channel.port1.close();
  return [longest, done];
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function timed(count, act) {
  const times = [];
  for (let n = 0; n < count; n += 1) {
    const begun = performance.now();
    await act();
    times.push(performance.now() - begun);
  }
  return median(times);
}

export async function run(thread, matrix, control) {
  const tell = (...told) => fetch(control, { method: "POST", body: JSON.stringify(told) });
  const rooms = Array.from({ length: ROOMS }, (_, n) => `!r${n}:haos.test`);
  for (const room of rooms) await tell("room", room, { name: room, members: ["ada", "bob"] });
  const chat = await open({ name: `measure-${crypto.randomUUID()}`, thread });
  await chat.login(matrix, { user: "ada", password: "any" });
  const connection = chat.connection();
  await until("it is live", () => connection.value?.state === "live", 30_000);
  await tell("network.offline");
  for (const room of rooms) {
    await Promise.all(Array.from({ length: EVENTS / ROOMS }, (_, n) => tell("say", room, "bob", `message ${n}`)));
  }
  const timeline = chat.timeline(rooms[0]);
  await timeline.ready;
  const isThere = () => timeline.value.some((item) => item.content?.body === `message ${EVENTS / ROOMS - 1}`);
  const [longest] = await blocked(async () => {
    await tell("network.online");
    await chat.tryNow();
    await until("the sync is there", isThere, 60_000);
    await until("it is live", () => connection.value?.state === "live", 60_000);
  });
  const page = await timed(21, async () => {
    const fresh = chat.timeline(rooms[1]);
    await fresh.ready;
    fresh.close();
  });
  const call = await timed(101, () => chat.account());
  const draft = await timed(21, () => chat.setDraft(rooms[0], { text: `${Math.random()}` }));
  const send = await timed(21, () => chat.send(rooms[2], "hello"));
  await chat.close();
  return {
    [`longest block by a sync of ${EVENTS} events, ms`]: longest,
    "50 items of a timeline, ms": page,
    "a call that does nothing, ms": call,
    "a draft is kept, ms": draft,
    "a message is kept, ms": send,
  };
}
