// One suite over every way in which the engine runs: in a worker, in the page, and in memory alone.

import { applyDiffs, HaosError } from "@haos/client";
import { install, Homeserver, openInMemory } from "@haos/testing";
import { open } from "@haos/web";

import { equal, ok, suite, until } from "/test/suite.mjs";

// Each long poll is one.
performance.setResourceTimingBufferSize(100_000);

const { test: add, run: all } = suite();

/** The chats of a test. */
const opened = [];

function test(name, body) {
  add(name, async () => {
    try {
      await body();
    } finally {
      await Promise.all(opened.splice(0).map((chat) => chat.close().catch(() => {})));
    }
  });
}

/** The server that the tests talk to, and what they tell it. */
let server;
/** Opens a chat, logged in where nothing else is said. */
let chatOf;
let thread;

/** @param {string} how `worker`, `here` or `memory` */
export async function run(how, matrix, control) {
  thread = how;
  let count = 0;
  const name = () => `${how}-${(count += 1)}-${crypto.randomUUID().slice(0, 8)}`;
  if (how === "memory") {
    const model = new Homeserver();
    install(model);
    server = {
      url: "https://haos.test",
      tell: async (path, ...args) => {
        const names = path.split(".");
        const method = names.pop();
        return names.reduce((object, name) => object[name], model)[method](...args);
      },
    };
    chatOf = async ({ held = false } = {}) => openInMemory({ held });
  } else {
    server = {
      url: matrix,
      tell: async (...told) => {
        const response = await fetch(control, { method: "POST", body: JSON.stringify(told) });
        if (!response.ok) throw new Error(await response.text());
        return response.json();
      },
    };
    chatOf = async ({ login, ...options } = {}) => open({ name: name(), thread: how, ...options });
  }
  const make = chatOf;
  chatOf = async (options = {}) => {
    const chat = await make(options);
    opened.push(chat);
    const { login = "ada" } = options;
    if (login !== false) await chat.login(server.url, { user: login, password: "any" });
    return chat;
  };
  return all();
}

/** A room of the server with so many messages. */
async function roomOf(messages = 3) {
  const room = `!${crypto.randomUUID().slice(0, 8)}:haos.test`;
  await server.tell("room", room, { name: `Room ${room.slice(1, 5)}`, members: ["ada", "bob"] });
  for (let n = 0; n < messages; n += 1) await server.tell("say", room, "bob", `message ${n}`);
  return room;
}

const bodies = (items) => (items ?? []).filter(({ content }) => content?.body).map(({ content }) => content.body);
const find = (items, body) => items.find((item) => item.content?.body === body);
const shows = (timeline, body) => until(`${body} shows`, () => bodies(timeline.value).includes(body), 20_000);

async function refused(promise, code) {
  const error = await promise.then(
    () => undefined,
    (thrown) => thrown,
  );
  ok(error instanceof HaosError, `${code}: ${error} is no HaosError`);
  equal(error.code, code, error.message);
  ok(error.message.length > 10, error.message);
  return error;
}

test("a room list and a timeline are there and stay live", async () => {
  const room = await roomOf();
  const chat = await chatOf();
  const rooms = chat.rooms();
  await until("the room is listed", () => rooms.value?.some(({ id }) => id === room), 20_000);
  const timeline = chat.timeline(room);
  await shows(timeline, "message 2");
  await server.tell("say", room, "bob", "later");
  await shows(timeline, "later");
  ok(timeline.isLive && timeline.error === undefined);
});

test("diffs that are applied are the value, and a fresh reading", async () => {
  const room = await roomOf(10);
  const chat = await chatOf();
  const timeline = chat.timeline(room);
  await timeline.ready;
  let mirror = [];
  let isOver = false;
  const following = (async () => {
    for await (const steps of timeline.diffs()) {
      mirror = applyDiffs(mirror, steps);
      if (isOver) break;
    }
  })();
  for (let n = 0; n < 10; n += 1) {
    if (n % 3 === 0) await server.tell("say", room, "bob", `more ${n}`);
    else await chat.send(room, `mine ${n}`);
  }
  await until(
    "all is sent",
    () => timeline.value.filter((i) => /^mine/.test(i.content?.body)).every((i) => i.type === "event"),
    20_000,
  );
  await shows(timeline, "more 9");
  isOver = true;
  await server.tell("say", room, "bob", "last");
  await following;
  equal(bodies(mirror), bodies(timeline.value));
  const fresh = chat.timeline(room);
  equal(bodies(await fresh.ready).slice(-12), bodies(timeline.value).slice(-12));
  equal(bodies(timeline.value).slice(-11), (await server.tell("bodies", room)).slice(-11));
});

test("older items come page by page, and the way back", async () => {
  const room = await roomOf(150);
  const chat = await chatOf();
  const timeline = chat.timeline(room, { limit: 20 });
  await shows(timeline, "message 149");
  let pages = 0;
  while (timeline.hasOlder && pages < 30) {
    await timeline.older(25);
    pages += 1;
  }
  await shows(timeline, "message 0");
  ok(pages < 30, "the beginning is reached");
  await timeline.toLive();
  await shows(timeline, "message 149");
  ok(timeline.isLive);
});

test("what is written offline is sent once, in order", async () => {
  const room = await roomOf();
  const chat = await chatOf();
  const timeline = chat.timeline(room);
  await shows(timeline, "message 2");
  await server.tell("network.offline");
  try {
    for (const body of ["one", "two", "three"]) await chat.send(room, body);
    await shows(timeline, "three");
    equal(find(timeline.value, "two").type, "local");
    const ids = ["one", "two", "three"].map((body) => find(timeline.value, body).id);
    const connection = chat.connection();
    await until("it counts what is unsent", () => connection.value?.unsent === 3);
    await server.tell("network.online");
    await chat.tryNow();
    await until(
      "all is sent",
      async () => {
        const sent = (await server.tell("bodies", room)).slice(3);
        return sent.length >= 3 && find(timeline.value, "three")?.type === "event";
      },
      30_000,
    );
    equal((await server.tell("bodies", room)).slice(3), ["one", "two", "three"]);
    equal(
      ["one", "two", "three"].map((body) => find(timeline.value, body).id),
      ids,
      "an item keeps its id",
    );
  } finally {
    await server.tell("network.online");
  }
});

test("a lost answer sends nothing twice", async () => {
  const room = await roomOf(0);
  const chat = await chatOf();
  await server.tell("network.dropAnswers", 2);
  await chat.send(room, "once");
  const outbox = chat.outbox();
  await until(
    "it is sent",
    async () => (await server.tell("bodies", room)).length > 0 && outbox.value?.length === 0,
    30_000,
  );
  equal(await server.tell("bodies", room), ["once"]);
});

test("edit, react, redact, retry and cancel", async () => {
  const room = await roomOf(1);
  const chat = await chatOf();
  const timeline = chat.timeline(room);
  await shows(timeline, "message 0");
  await chat.send(room, { body: "hello", mentions: ["@bob:haos.test"] });
  await until("it is sent", () => find(timeline.value, "hello")?.type === "event", 20_000);
  await timeline.edit(find(timeline.value, "hello"), "hello, all");
  await shows(timeline, "hello, all");
  await timeline.react(find(timeline.value, "message 0"), "👍");
  await until("it is reacted to", () => find(timeline.value, "message 0").reactions[0]?.isOwn);
  await timeline.redact(find(timeline.value, "hello, all"));
  await until("it is gone", () => !bodies(timeline.value).includes("hello, all"));
  await server.tell("network.offline");
  try {
    await chat.send(room, "never");
    await shows(timeline, "never");
    await timeline.cancel(find(timeline.value, "never"));
    await until("it is cancelled", () => !bodies(timeline.value).includes("never"));
  } finally {
    await server.tell("network.online");
  }
  await chat.tryNow();
});

test("a file goes out and its bytes come back", async () => {
  const room = await roomOf(0);
  const chat = await chatOf();
  const file = new File([new Uint8Array(3_000_000).fill(7)], "seven.bin", { type: "application/octet-stream" });
  const upload = await chat.sendFile(room, file, { caption: "all seven" });
  const progress = upload.progress();
  await until("it is sent", () => progress.value?.status === "sent", 30_000);
  equal(progress.value.totalBytes, 3_000_000);
  const timeline = chat.timeline(room);
  await until(
    "it shows",
    () => timeline.value?.some(({ type, content }) => type === "event" && content.type === "file"),
    20_000,
  );
  const { content } = timeline.value.find(({ content }) => content?.type === "file");
  equal([content.name, content.caption], ["seven.bin", "all seven"]);
  const back = new Uint8Array(await (await chat.media(content.uri)).arrayBuffer());
  equal([back.length, back.every((byte) => byte === 7)], [3_000_000, true]);
});

test("a draft is kept", async () => {
  const room = await roomOf(1);
  const chat = await chatOf();
  await shows(chat.timeline(room), "message 0");
  equal(await chat.draft(room), null);
  await chat.setDraft(room, { text: "not yet" });
  equal(await chat.draft(room), { text: "not yet", replyTo: null, editOf: null });
  await chat.setDraft(room, null);
  equal(await chat.draft(room), null);
});

test("errors have their kinds", async () => {
  const chat = await chatOf({ login: false });
  equal(await chat.account(), null);
  await refused(chat.logout(), "not_logged_in");
  await refused(chat.room("!none:haos.test"), "not_found");
  await refused(chat.room("x".repeat(300)), "invalid");
  await refused(chat.upload("none").pause(), "not_found");
  await refused(chat.timeline(`!${"x".repeat(300)}`).ready, "invalid");
  await server.tell("user", "careful", { password: "right" });
  await refused(chat.login(server.url, { user: "careful", password: "wrong" }), "login_refused");
  await server.tell("network.offline");
  try {
    const error = await refused(chat.login(server.url, { user: "ada", password: "any" }), "unreachable");
    ok(error.retryable);
  } finally {
    await server.tell("network.online");
  }
  const rooms = chat.rooms();
  await rooms.ready;
  await chat.close();
  await refused(chat.account(), "closed");
  await refused(chat.rooms().ready, "closed");
});

test("what is aborted is closed", async () => {
  const chat = await chatOf({ login: false });
  const abort = new AbortController();
  const outbox = chat.outbox({ signal: abort.signal });
  await outbox.ready;
  let isOver = false;
  const reading = (async () => {
    for await (const _ of outbox);
    isOver = true;
  })();
  abort.abort();
  await reading;
  ok(isOver);
});

test("a store keeps what it has, sealed as well", async () => {
  if (thread === "memory") return;
  const name = `kept-${thread}-${crypto.randomUUID()}`;
  for (const secret of [{}, { passphrase: "red green blue" }]) {
    const options = { name: name + Object.keys(secret).length, ...secret };
    const room = await roomOf(5);
    const first = await chatOf(options);
    await shows(first.timeline(room), "message 4");
    await first.close();
    await server.tell("network.offline");
    try {
      const second = await chatOf({ ...options, login: false });
      equal((await second.account()).user, "@ada:haos.test");
      await shows(second.timeline(room), "message 4");
      if (secret.passphrase) {
        await refused(open({ ...options, passphrase: "another", thread }), "wrong_key");
        await refused(open({ name: options.name, thread }), "sealed");
      }
      await second.close();
    } finally {
      await server.tell("network.online");
    }
  }
});

test("a worker that is killed is replaced, and nothing is lost or doubled", async () => {
  if (thread !== "worker") return;
  const room = await roomOf(5);
  const workers = [];
  const worker = () => {
    const made = new Worker("/packages/web/dist/worker.js", { type: "module" });
    workers.push(made);
    return made;
  };
  const chat = await chatOf({ worker });
  const timeline = chat.timeline(room);
  await shows(timeline, "message 4");
  const rooms = chat.rooms();
  await rooms.ready;
  for (let n = 0; n < 5; n += 1) {
    const sends = [chat.send(room, `a${n}`), chat.send(room, `b${n}`)];
    await new Promise((done) => setTimeout(done, n * 3));
    workers.at(-1).terminate();
    await Promise.all(sends);
    await shows(timeline, `b${n}`);
  }
  ok(workers.length >= 6, `${workers.length} workers`);
  await until("all is sent", async () => (await server.tell("bodies", room)).length >= 15, 60_000);
  const sent = (await server.tell("bodies", room)).slice(5);
  equal([...sent].sort(), [0, 1, 2, 3, 4].flatMap((n) => [`a${n}`, `b${n}`]).sort());
  await until("the timeline is as the server", () => find(timeline.value, "b4")?.type === "event", 30_000);
  equal(bodies(timeline.value).slice(-10), sent);
});

// The last one: from then on the account has an encrypted room.
test("an encrypted room is read and written, and its code is loaded for it alone", async () => {
  const keys = () => performance.getEntriesByType("resource").filter(({ name }) => name.includes("_keys.wasm")).length;
  const plain = await roomOf(1);
  const [ada, bob] = [await chatOf(), await chatOf({ login: "bob" })];
  await shows(bob.timeline(plain), "message 0");
  equal([await server.tell("encryptingDevices", "bob"), keys()], [[], 0]);

  const room = `!${crypto.randomUUID().slice(0, 8)}:haos.test`;
  await server.tell("room", room, { name: "Secret", encrypted: true, members: ["ada", "bob"] });
  const [hers, his] = [ada, bob].map((chat) => {
    const rooms = chat.rooms();
    return until("it is listed", () => rooms.value?.some(({ id }) => id === room), 20_000);
  });
  await Promise.all([hers, his]);
  for (const user of ["ada", "bob"]) {
    await until(`${user} has keys`, async () => (await server.tell("encryptingDevices", user)).length > 0, 20_000);
  }
  if (thread === "here") equal(keys(), 1);

  const [shown, shownToBob] = [ada.timeline(room), bob.timeline(room)];
  await ada.send(room, "hello, bob");
  await shows(shownToBob, "hello, bob");
  await bob.send(room, { body: "hello, ada" });
  await shows(shown, "hello, ada");
  await until("it is sent", () => find(shown.value, "hello, bob")?.type === "event", 20_000);
  await shown.edit(find(shown.value, "hello, bob"), "hello, all");
  await shows(shownToBob, "hello, all");

  await ada.sendFile(room, new File([new Uint8Array(300_000).fill(7)], "seven.bin"), { caption: "all seven" });
  const file = await until(
    "bob has the file",
    () => shownToBob.value?.find(({ type, content }) => type === "event" && content.type === "file"),
    20_000,
  );
  const back = new Uint8Array(await (await bob.media(file.content.uri)).arrayBuffer());
  equal([back.length, back.every((byte) => byte === 7)], [300_000, true]);
  equal(await server.tell("bodies", room), [], "nothing of it is in clear");
});
