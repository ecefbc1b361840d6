// The model homeserver in a page: installed over `fetch`, and served by the loopback.

import { Homeserver, install } from "@haos/testing";

import { equal, suite } from "/test/suite.mjs";

const { test, run } = suite();
export { run };

const ROOM = "!lobby:haos.test";

async function ask(origin, method, path, body, token) {
  const response = await fetch(`${origin}/_matrix/client/v3/${path}`, {
    method,
    headers: token === undefined ? {} : { Authorization: `Bearer ${token}` },
    body: body === undefined ? null : JSON.stringify(body),
  });
  return response.json();
}

async function login(origin) {
  const identifier = { type: "m.id.user", user: "ada" };
  return (await ask(origin, "POST", "login", { type: "m.login.password", identifier, password: "x" })).access_token;
}

test("a model that is installed answers fetch, and wakes a waiting sync", async () => {
  const server = new Homeserver();
  server.room(ROOM, { members: ["ada", "bob"] });
  const { uninstall } = install(server);
  try {
    const origin = "https://haos.test";
    const token = await login(origin);
    const { next_batch: since } = await ask(origin, "GET", "sync", undefined, token);
    const waiting = ask(origin, "GET", `sync?timeout=60000&since=${since}`, undefined, token);
    server.say(ROOM, "bob", "hello");
    equal((await waiting).rooms.join[ROOM].timeline.events.at(-1).content.body, "hello");
  } finally {
    uninstall();
  }
});

test("a model that is served answers pages of another origin", async (origin) => {
  const token = await login(origin);
  const path = `rooms/${encodeURIComponent(ROOM)}/send/m.room.message/${crypto.randomUUID()}`;
  const { event_id: id } = await ask(origin, "PUT", path, { msgtype: "m.text", body: "hello" }, token);
  equal(typeof id, "string");
});
