import assert from "node:assert/strict";
import { test } from "node:test";

import { Homeserver } from "../src/index.js";
import { TestDevice, bodies, sendPath } from "./device.js";

const ROOM = "!lobby:haos.test";

function lobby(): Homeserver {
  const server = new Homeserver();
  server.room(ROOM, { name: "Lobby", members: ["ada", "bob"] });
  return server;
}

function login(server: Homeserver, user = "ada"): Promise<TestDevice> {
  return TestDevice.login((request) => server.handle(request), user);
}

test("a message that is sent twice under one transaction id is there once", async () => {
  const server = lobby();
  const ada = await login(server);
  const first = await ada.send(ROOM, "hello", "t1");
  assert.equal(await ada.send(ROOM, "hello", "t1"), first);
  assert.notEqual(await ada.send(ROOM, "hello", "t2"), first);
  assert.deepEqual(server.bodies(ROOM), ["hello", "hello"]);
  // Another device has transactions of its own.
  const other = await login(server);
  await other.send(ROOM, "hello", "t1");
  assert.equal(server.bodies(ROOM).length, 3);
});

test("a transaction id is shown to the device that made it alone", async () => {
  const server = lobby();
  const [ada, bob] = [await login(server), await login(server, "bob")];
  await ada.send(ROOM, "hello", "t1");
  const seen = async (device: TestDevice): Promise<unknown> =>
    (await device.sync()).rooms.join[ROOM]?.timeline.events.at(-1)?.unsigned?.["transaction_id"];
  assert.equal(await seen(ada), "t1");
  assert.equal(await seen(bob), undefined);
});

test("limited syncs and the pages between them see every event once and in order", async () => {
  const server = lobby();
  const ada = await login(server);
  let sent = 0;
  let since: string | undefined;
  let seen: string[] = [];
  const filter = JSON.stringify({ room: { timeline: { limit: 5 } } });
  for (const burst of [17, 3, 0, 5, 6, 40]) {
    for (let i = 0; i < burst; i += 1) server.say(ROOM, "bob", String(sent++));
    const answer = await ada.sync(since, { filter });
    const timeline = answer.rooms.join[ROOM]?.timeline;
    assert.equal(timeline?.limited ?? false, burst > 5, `${burst} at once`);
    const hole: string[] = [];
    let from = timeline?.limited === true ? timeline.prev_batch : undefined;
    while (from !== undefined) {
      const query = new URLSearchParams({ dir: "b", limit: "4", from, ...(since === undefined ? {} : { to: since }) });
      const page = await ada.ask("GET", `rooms/${encodeURIComponent(ROOM)}/messages?${query}`);
      hole.unshift(...bodies((page["chunk"] as never[]).toReversed()));
      from = page["end"] as string | undefined;
    }
    seen = [...seen, ...hole, ...bodies(timeline?.events ?? [])];
    since = answer.next_batch;
  }
  assert.deepEqual(seen, server.bodies(ROOM));
  assert.equal(seen.length, sent);
});

test("pages forwards see every event once and in order", async () => {
  const server = lobby();
  const ada = await login(server);
  for (let i = 0; i < 23; i += 1) server.say(ROOM, "bob", String(i));
  const seen: string[] = [];
  let from: string | undefined = "p0";
  while (from !== undefined) {
    const page: Record<string, unknown> = await ada.ask(
      "GET",
      `rooms/${encodeURIComponent(ROOM)}/messages?dir=f&limit=4&from=${from}`,
    );
    seen.push(...bodies(page["chunk"] as never[]));
    from = page["end"] as string | undefined;
  }
  assert.deepEqual(seen, server.bodies(ROOM));
});

test("a waiting sync answers when somebody writes, and not for the rooms of others", async () => {
  const server = lobby();
  server.room("!others:haos.test", { members: ["bob"] });
  const ada = await login(server);
  const { next_batch } = await ada.sync();
  const waiting = ada.sync(next_batch, { timeout: "60000" });
  server.say("!others:haos.test", "bob", "nothing for ada");
  server.say(ROOM, "bob", "hello");
  const answer = await waiting;
  assert.deepEqual(Object.keys(answer.rooms.join), [ROOM]);
  assert.deepEqual(bodies(answer.rooms.join[ROOM]?.timeline.events ?? []), ["hello"]);
});

test("a waiting sync without news ends at its time, and one that is aborted at once", async () => {
  const server = lobby();
  const ada = await login(server);
  const { next_batch } = await ada.sync();
  assert.deepEqual((await ada.sync(next_batch, { timeout: "5" })).rooms.join, {});
  const life = new AbortController();
  const waiting = ada.raw("GET", `sync?timeout=60000&since=${next_batch}`, undefined, life.signal);
  life.abort();
  await assert.rejects(waiting, { name: "AbortError" });
});

test("the state comes first, and the members who speak where members are lazy", async () => {
  const server = lobby();
  server.room(ROOM, { members: ["carl"] });
  server.say(ROOM, "bob", "hello");
  const ada = await login(server);
  const members = async (lazy: boolean): Promise<(string | undefined)[]> => {
    const filter = { room: { timeline: { limit: 1 }, state: { lazy_load_members: lazy } } };
    const { rooms } = await ada.sync(undefined, { filter: JSON.stringify(filter) });
    const state = rooms.join[ROOM]?.state.events ?? [];
    assert.ok(state.some(({ type, content }) => type === "m.room.name" && content["name"] === "Lobby"));
    return state.filter(({ type }) => type === "m.room.member").map(({ state_key }) => state_key);
  };
  assert.deepEqual(await members(false), ["@ada:haos.test", "@bob:haos.test", "@carl:haos.test"]);
  assert.deepEqual(await members(true), ["@ada:haos.test", "@bob:haos.test"]);
});

test("a room is invited to, joined, left", async () => {
  const server = new Homeserver();
  const [ada, bob] = [await login(server), await login((server.user("bob"), server), "bob")];
  const { room_id: id } = await ada.ask("POST", "createRoom", { name: "Two", invite: ["@bob:haos.test"] });
  const room = String(id);
  let answer = await bob.sync();
  const names = answer.rooms.invite[room]?.invite_state.events.map(({ content }) => content["name"]);
  assert.ok(names?.includes("Two"));
  assert.deepEqual(await bob.refusal("PUT", sendPath(room, "t"), {}), [403, "M_FORBIDDEN"]);
  await bob.ask("POST", `join/${encodeURIComponent(room)}`);
  answer = await bob.sync(answer.next_batch);
  assert.equal(answer.rooms.join[room]?.summary["m.joined_member_count"], 2);
  assert.ok(
    answer.rooms.join[room]?.state.events
      .concat(answer.rooms.join[room].timeline.events)
      .some(({ type }) => type === "m.room.create"),
  );
  await bob.ask("POST", `rooms/${encodeURIComponent(room)}/leave`);
  answer = await bob.sync(answer.next_batch);
  assert.equal(answer.rooms.leave[room]?.timeline.events.at(-1)?.content["membership"], "leave");
  assert.deepEqual(await bob.ask("GET", "joined_rooms"), { joined_rooms: [] });
  assert.deepEqual(await bob.refusal("POST", `join/${encodeURIComponent(room)}`), [403, "M_FORBIDDEN"]);
});

test("a redaction takes the content of its target away", async () => {
  const server = lobby();
  const ada = await login(server);
  const kept = await ada.send(ROOM, "kept", "t1");
  const gone = await ada.send(ROOM, "gone", "t2");
  const path = `rooms/${encodeURIComponent(ROOM)}/redact/${encodeURIComponent(gone)}/t3`;
  const { event_id: id } = await ada.ask("PUT", path, { reason: "no" });
  assert.equal((await ada.ask("PUT", path, { reason: "no" }))["event_id"], id);
  const redaction = server.events(ROOM).at(-1);
  assert.deepEqual([redaction?.redacts, redaction?.content["redacts"]], [gone, gone]);
  assert.deepEqual(server.bodies(ROOM), ["kept"]);
  server.redact(ROOM, kept, "bob");
  assert.deepEqual(server.bodies(ROOM), []);
});

test("typing, receipts and account data come with the next sync", async () => {
  const server = lobby();
  const ada = await login(server);
  const hello = server.say(ROOM, "bob", "hello");
  let answer = await ada.sync();
  assert.equal(answer.rooms.join[ROOM]?.unread_notifications.notification_count, 1);
  const room = encodeURIComponent(ROOM);
  await ada.ask("POST", `rooms/${room}/read_markers`, { "m.fully_read": hello, "m.read": hello });
  await ada.ask("PUT", "user/@ada:haos.test/account_data/m.direct", { "@bob:haos.test": [ROOM] });
  server.typing(ROOM, ["bob"]);
  answer = await ada.sync(answer.next_batch);
  const [typing, receipt] = answer.rooms.join[ROOM]?.ephemeral.events ?? [];
  assert.deepEqual(typing?.content, { user_ids: ["@bob:haos.test"] });
  assert.ok((receipt?.content[hello] as Record<string, object>)["m.read"]?.hasOwnProperty("@ada:haos.test"));
  assert.equal(answer.rooms.join[ROOM]?.unread_notifications.notification_count, 0);
  assert.equal(answer.account_data.events[0]?.type, "m.direct");
  server.typing(ROOM, []);
  answer = await ada.sync(answer.next_batch);
  assert.deepEqual(answer.rooms.join[ROOM]?.ephemeral.events, [{ type: "m.typing", content: { user_ids: [] } }]);
});

test("a file is uploaded to its place once, and read by who is logged in", async () => {
  const server = lobby();
  const ada = await login(server);
  const uri = String((await ada.ask("POST", "/_matrix/media/v1/create"))["content_uri"]);
  const place = uri.slice("mxc://".length);
  assert.deepEqual(await ada.refusal("GET", `/_matrix/client/v1/media/download/${place}`), [504, "M_NOT_YET_UPLOADED"]);
  await ada.ask("PUT", `/_matrix/media/v3/upload/${place}`, { any: "bytes" });
  assert.deepEqual(await ada.refusal("PUT", `/_matrix/media/v3/upload/${place}`, {}), [
    409,
    "M_CANNOT_OVERWRITE_MEDIA",
  ]);
  const read = await ada.raw("GET", `/_matrix/client/v1/media/download/${place}`);
  assert.equal(await read.text(), '{"any":"bytes"}');
  assert.equal(new TextDecoder().decode(server.file(uri)), '{"any":"bytes"}');
  const nobody = new TestDevice((request) => server.handle(request));
  const [status] = await nobody.refusal("GET", `/_matrix/client/v1/media/download/${place}`);
  assert.equal(status, 401);
});

test("who has a password needs it, and a session that was ended is over", async () => {
  const server = lobby();
  server.user("ada", { password: "secret" });
  await assert.rejects(login(server), /M_FORBIDDEN/);
  const bob = await login(server, "bob");
  server.logout("bob", { soft: true });
  const refused = await bob.raw("GET", "account/whoami");
  assert.equal(refused.status, 401);
  assert.equal(((await refused.json()) as { soft_logout: boolean }).soft_logout, true);
});

test("a client finds the server, what it speaks, and what it does not", async () => {
  const server = lobby();
  const nobody = new TestDevice((request) => server.handle(request));
  const known = await nobody.ask("GET", "/.well-known/matrix/client");
  assert.deepEqual(known, { "m.homeserver": { base_url: "https://haos.test" } });
  assert.ok(((await nobody.ask("GET", "/_matrix/client/versions"))["versions"] as string[]).includes("v1.11"));
  assert.deepEqual(await nobody.refusal("GET", "/_matrix/client/v3/nothing"), [404, "M_UNRECOGNIZED"]);
  assert.deepEqual(await nobody.refusal("GET", "sync"), [401, "M_MISSING_TOKEN"]);
});
