// What a first screen asks of the engine: the functions that run for it are the first half.

import { Homeserver, install } from "/testing/index.js";
import init, { Port, ran } from "/pkg/haos_client_web.js";

const ROOM = "!lobby:haos.test";

const ask = async (port, call) => JSON.parse(await port.call(JSON.stringify(call)));

/** A store with rooms and messages, as a sync brings them. */
export async function fill(name) {
  const server = new Homeserver();
  for (const room of [ROOM, "!other:haos.test", "!third:haos.test"]) {
    server.room(room, { name: room.slice(1, 6), members: ["ada", "bob"] });
    for (let n = 0; n < 120; n += 1) server.say(room, "bob", `message ${n}`);
  }
  const { uninstall } = install(server);
  await init();
  const port = await Port.open(JSON.stringify({ url: `idb:${name}` }), undefined);
  await ask(port, { call: "login", server: "https://haos.test", login: { user: "ada", password: "x" } });
  let { watch, now: next } = await ask(port, { call: "watch", of: { list: "connection" } });
  while (next.state !== "live") ({ next } = await ask(port, { call: "next", watch }));
  const timeline = await ask(port, { call: "watch", of: { list: "timeline", room: ROOM, limit: 50 } });
  await ask(port, { call: "older", watch: timeline.watch, want: 100 });
  const texts = ["one", "two"].map((name) => ({ kind: "text", name, text: name }));
  await ask(port, { call: "keep", put: texts });
  await port.close();
  uninstall();
}

/** Shows what a person looks at first, and follows it; nothing is sent or synced yet. */
export async function first(name) {
  await init();
  const port = await Port.open(JSON.stringify({ url: `idb:${name}`, held: true }), undefined);
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
