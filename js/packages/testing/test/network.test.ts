import assert from "node:assert/strict";
import { test } from "node:test";

import { Homeserver, install } from "../src/index.js";
import { TestDevice, bodies, sendPath } from "./device.js";

const ROOM = "!lobby:haos.test";

async function lobby(now?: () => number): Promise<{ server: Homeserver; ada: TestDevice }> {
  const server = new Homeserver(now === undefined ? {} : { now });
  server.room(ROOM, { members: ["ada", "bob"] });
  const ada = await TestDevice.login((request) => server.handle(request));
  return { server, ada };
}

test("an answer that is lost was carried out", async () => {
  const { server, ada } = await lobby();
  server.network.dropAnswers(2);
  await assert.rejects(ada.send(ROOM, "hello", "t1"), TypeError);
  assert.deepEqual(server.bodies(ROOM), ["hello"]);
  // Reads pass meanwhile.
  await ada.sync();
  await assert.rejects(ada.send(ROOM, "hello", "t1"), TypeError);
  await ada.send(ROOM, "hello", "t1");
  assert.deepEqual(server.bodies(ROOM), ["hello"]);
});

test("without a network nothing arrives, and what waits fails", async () => {
  const { server, ada } = await lobby();
  const { next_batch } = await ada.sync();
  const waiting = ada.sync(next_batch, { timeout: "60000" });
  server.network.offline();
  await assert.rejects(waiting, TypeError);
  await assert.rejects(ada.send(ROOM, "hello", "t1"), TypeError);
  assert.deepEqual(server.bodies(ROOM), []);
  server.network.online();
  await ada.send(ROOM, "hello", "t1");
  assert.deepEqual(server.bodies(ROOM), ["hello"]);
});

test("a refusal is Matrix's, as often as it was wanted", async () => {
  const { server, ada } = await lobby();
  server.network.refuse({ status: 403, errcode: "M_FORBIDDEN", times: 1 });
  assert.deepEqual(await ada.refusal("PUT", sendPath(ROOM, "t1"), { body: "no" }), [403, "M_FORBIDDEN"]);
  await ada.send(ROOM, "yes", "t2");
  assert.deepEqual(server.bodies(ROOM), ["yes"]);
});

test("a limit of the rate says how long to wait, and ends", async () => {
  let now = 0;
  const { server, ada } = await lobby(() => now);
  server.network.rateLimit(2500);
  const refused = await ada.raw("PUT", sendPath(ROOM, "t1"), {});
  assert.equal(refused.status, 429);
  assert.equal(refused.headers.get("Retry-After"), "3");
  assert.equal(((await refused.json()) as { retry_after_ms: number }).retry_after_ms, 2500);
  now = 2500;
  await ada.send(ROOM, "hello", "t1");
});

test("a request that hangs is over when it is aborted, or when the network is back", async () => {
  const { server, ada } = await lobby();
  server.network.hang((request) => request.method === "PUT");
  const life = new AbortController();
  const aborted = ada.raw("PUT", sendPath(ROOM, "t1"), {}, life.signal);
  const hung = ada.send(ROOM, "hello", "t2");
  await ada.sync();
  life.abort();
  await assert.rejects(aborted, { name: "AbortError" });
  server.network.online();
  await assert.rejects(hung, TypeError);
  assert.deepEqual(server.bodies(ROOM), []);
});

test("requests that take their time arrive, and are counted", async () => {
  const { server, ada } = await lobby();
  server.network.latency(4);
  const { next_batch } = await ada.sync();
  server.say(ROOM, "bob", "hello");
  const answer = await ada.sync(next_batch);
  assert.deepEqual(bodies(answer.rooms.join[ROOM]?.timeline.events ?? []), ["hello"]);
  assert.equal(server.network.requests.filter(({ path }) => path.endsWith("/sync")).length, 2);
});

test("a model server answers what fetch asks of its origin, until it is uninstalled", async () => {
  const { server } = await lobby();
  const asked: string[] = [];
  const former = (input: unknown): Promise<Response> => {
    asked.push(String(input));
    return Promise.resolve(new Response("elsewhere"));
  };
  const target = { fetch: former as typeof fetch };
  const { uninstall } = install(server, { target });
  const versions = "https://haos.test/_matrix/client/versions";
  assert.equal((await target.fetch(versions)).status, 200);
  assert.equal((await target.fetch(new Request(versions))).status, 200);
  assert.equal(await (await target.fetch("https://example.org/")).text(), "elsewhere");
  uninstall();
  assert.equal(target.fetch, former);
  assert.deepEqual(asked, ["https://example.org/"]);
});
