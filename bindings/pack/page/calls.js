// What a first screen asks of the engine: the functions that run for it are the first half.

import { createClient } from "/client/index.js";
import { Homeserver, install } from "/testing/index.js";
import init, { Port, ran } from "/pkg/haos_client_web.js";

const ROOM = "!lobby:haos.test";
const SERVER = "https://haos.test";
const LOGIN = { user: "ada", password: "x" };

/** No room is encrypted here. */
const noKeys = () => Promise.reject(new Error("the code for encryption is not needed here"));

const ask = async (port, call) => JSON.parse(await port.call(JSON.stringify(call)));

/** Logs in on a server with some rooms, and waits for its first sync. */
async function begin(name) {
  const server = new Homeserver();
  for (const room of [ROOM, "!other:haos.test", "!third:haos.test"]) {
    server.room(room, { name: room.slice(1, 6), members: ["ada", "bob"] });
    for (let n = 0; n < 120; n += 1) server.say(room, "bob", `message ${n}`);
  }
  const { uninstall } = install(server);
  await init();
  const port = await Port.open(JSON.stringify({ url: `idb:${name}` }), undefined, noKeys);
  await ask(port, { call: "login", server: SERVER, login: LOGIN });
  let { watch, now: next } = await ask(port, { call: "watch", of: { list: "connection" } });
  while (next.state !== "live") ({ next } = await ask(port, { call: "next", watch }));
  return { server, port, uninstall };
}

/** A store with rooms and messages, as a sync brings them. Tells which functions ran. */
export async function fill(name) {
  const { port, uninstall } = await begin(name);
  const timeline = await ask(port, { call: "watch", of: { list: "timeline", room: ROOM, limit: 50 } });
  await ask(port, { call: "older", watch: timeline.watch, want: 100 });
  const texts = ["one", "two"].map((name) => ({ kind: "text", name, text: name }));
  await ask(port, { call: "keep", put: texts });
  await port.close();
  uninstall();
  return ran();
}

/** Most of what an application does where no room is encrypted. Tells which functions ran. */
export async function use(name) {
  const { server, port, uninstall } = await begin(name);
  const chat = await createClient(async () => ({
    call: (call) => port.call(call),
    sendFile: (room, facts, file) => port.sendFile(room, facts, file),
    async media(wanted) {
      const item = await port.media(wanted);
      return { mime: item.mime, size: item.size, bytes: item.takeBytes() };
    },
    close: () => port.close(),
  }));
  const timeline = chat.timeline(ROOM);
  const found = async (is) => {
    for await (const items of timeline) {
      const item = items.find((item) => item.type === "event" && is(item.content));
      if (item !== undefined) return item;
    }
  };
  await chat.send(ROOM, { body: "hello", mentions: ["@bob:haos.test"] });
  const hello = await found(({ body }) => body === "hello");
  await timeline.edit(hello, "hello, all");
  const edited = await found(({ body }) => body === "hello, all");
  await timeline.react(edited, "+1");
  await timeline.redact(edited);
  await chat.sendFile(ROOM, new File([new Uint8Array(600_000)], "nothing.bin"), { caption: "nothing" });
  const file = await found(({ type }) => type === "file");
  await chat.media(file.content.uri);
  server.network.offline();
  await chat.send(ROOM, "never");
  const [{ txnId }] = await chat.outbox().ready;
  await chat.cancel(txnId);
  server.network.online();
  await chat.tryNow();
  await chat.setDraft(ROOM, { text: "not yet" });
  await chat.setDraft(ROOM, null);
  await chat.setTyping(ROOM, true);
  await chat.markRead(ROOM, file.eventId);
  await chat.members(ROOM);
  await chat.room(ROOM);
  await chat.clear("media");
  await chat.logout();
  await chat.login(SERVER, LOGIN);
  await chat.close();
  uninstall();
  return ran();
}

/** Shows what a person looks at first, and follows it; nothing is sent or synced yet. */
export async function first(name) {
  await init();
  const port = await Port.open(JSON.stringify({ url: `idb:${name}`, held: true }), undefined, noKeys);
  await ask(port, { call: "account" });
  const lists = [{ list: "rooms", limit: 50 }, { list: "timeline", room: ROOM, limit: 50, utcOffset: 60 }];
  const watches = await Promise.all(
    [...lists, { list: "connection" }, { list: "outbox" }].map((of) => ask(port, { call: "watch", of })),
  );
  if (watches[0].now.length === 0 || watches[1].now.length < 50) throw new Error("the store is not filled");
  watches.forEach(({ watch }) => void ask(port, { call: "next", watch }));
  await ask(port, { call: "older", watch: watches[1].watch, want: 20 });
  await ask(port, { call: "isLive", watch: watches[1].watch });
  await ask(port, { call: "draft", room: ROOM });
  await ask(port, { call: "kept", of: [{ kind: "text" }, { kind: "text", name: "one" }] });
  // What follows in idle moments.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await ask(port, { call: "unwatch", watch: watches[3].watch });
  return ran();
}
