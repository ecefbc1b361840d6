import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Homeserver } from "../src/index.js";
import { serve } from "../src/node.js";
import { TestDevice } from "./device.js";

const ROOM = "!lobby:haos.test";

test("a model server over HTTP: CORS, messages, a network that fails", async (t) => {
  const server = new Homeserver();
  server.room(ROOM, { members: ["ada", "bob"] });
  const served = await serve({ homeserver: server });
  t.after(() => served.close());
  const preflight = await fetch(`${served.url}/_matrix/client/v3/sync`, { method: "OPTIONS" });
  assert.equal(preflight.headers.get("Access-Control-Allow-Origin"), "*");
  const ada = await TestDevice.login((request) => fetch(request), "ada", served.url);
  const { next_batch } = await ada.sync();
  const waiting = ada.sync(next_batch, { timeout: "60000" });
  await ada.send(ROOM, "hällo", "t1");
  assert.equal((await waiting).rooms.join[ROOM]?.timeline.events.at(-1)?.content["body"], "hällo");
  server.network.dropAnswers(1);
  await assert.rejects(ada.send(ROOM, "again", "t2"), TypeError);
  assert.deepEqual(server.bodies(ROOM), ["hällo", "again"]);
});

test("files have the right media types, and nothing outside of a folder is one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "haos-"));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, "site", "more"), { recursive: true });
  await writeFile(join(folder, "secret.js"), "secret");
  await writeFile(join(folder, "site", "index.html"), "<title>page</title>");
  await writeFile(join(folder, "site", "a.wasm"), "bytes");
  await writeFile(join(folder, "site", "more", "m.js"), "export {};");
  const served = await serve({
    folders: { "/": join(folder, "site"), "/lib": join(folder, "site", "more") },
    headers: { "X-Test": "yes" },
  });
  t.after(() => served.close());
  const seen = async (path: string): Promise<[number, string | null]> => {
    const { status, headers } = await fetch(`${served.url}${path}`);
    return [status, headers.get("Content-Type")];
  };
  assert.deepEqual(await seen("/"), [200, "text/html; charset=utf-8"]);
  assert.deepEqual(await seen("/a.wasm?v=1"), [200, "application/wasm"]);
  assert.deepEqual(await seen("/lib/m.js"), [200, "text/javascript; charset=utf-8"]);
  assert.equal((await seen("/%2e%2e/secret.js"))[0], 404);
  assert.equal((await seen("/..%2fsecret.js"))[0], 404);
  assert.equal((await seen("/library"))[0], 404);
  assert.equal((await fetch(`${served.url}/a.wasm`)).headers.get("X-Test"), "yes");
});
