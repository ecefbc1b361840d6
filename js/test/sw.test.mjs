// The service worker in real browsers, each row of the cache policy in docs/pwa.md: `node test/sw.test.mjs`.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import { Homeserver } from "@haos/testing";
import { serve } from "@haos/testing/node";

import { runPages } from "./run.mjs";
import { equal, ok, suite, until } from "./suite.mjs";
import { Site } from "./sw/site.mjs";

/** A picture of one pixel, of a colour. */
const gif = (red) =>
  new Uint8Array([
    ...[0x47, 0x49, 0x46, 0x38, 0x39, 0x61, 1, 0, 1, 0, 0x80, 0, 0, red, 0, 0, 0, 0, 0],
    ...[0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b],
  ]);
const MB = 1_048_576;
const film = Uint8Array.from({ length: 3 * MB + 5 }, (_, at) => at % 251);

/** One application in one browser: a site, a homeserver, and a tab. */
class World {
  homeserver = new Homeserver();

  static async make(browser) {
    const world = new World();
    world.browser = browser;
    world.tab = browser.first;
    world.site = await Site.make();
    world.matrix = await serve({ homeserver: world.homeserver });
    await world.goOn();
    return world;
  }

  /** The server of the application runs, at the port that it always has. */
  async goOn() {
    const folders = { "/": this.site.folder };
    this.served = await serve({ homeserver: this.homeserver, folders, port: this.port ?? 0 });
    this.port = Number(new URL(this.served.url).port);
    this.url = this.served.url;
  }

  /** The server of the application is gone. */
  stop() {
    return this.served.close();
  }

  async end() {
    await this.tab.goto("about:blank");
    await Promise.all([this.served.close(), this.matrix.close()]);
    await this.site.remove();
  }

  /** Writes the application and opens it, logged in where nothing else is said. Each site has a port, so an origin, of its own. */
  async open({ login = true, ...app } = {}) {
    await this.site.app(app);
    await this.tab.goto(this.url);
    await this.controlled();
    if (login)
      await this.tab.run("await (await app.chat).login(args[0], { user: 'ada', password: 'any' })", this.matrix.url);
  }

  /** Waits until a tab has a worker. */
  controlled(tab = this.tab) {
    const body = `
      const worker = await globalThis.app?.worker;
      if (worker?.missing) throw worker.missing;
      return worker?.servesMedia ?? false;`;
    return until("the worker serves", () => tab.run(body), 30_000);
  }

  /** What media answers. */
  ask(uri, options = {}, init = {}) {
    return this.tab.run("return app.ask(app.mediaUrl(args[0], args[1]), args[2])", uri, options, init);
  }

  /** The requests for media that came to the homeserver, without the questions that browsers ask before. */
  downloads() {
    return this.homeserver.network.requests.filter(({ method, path }) => method === "GET" && path.includes("/media/"))
      .length;
  }

  room(id) {
    this.homeserver.room(id, { members: ["ada", "bob"] });
    return id;
  }

  /** Writes a message, and waits until the homeserver has it. */
  async isSent(room, bodies) {
    await until("it is sent", () => this.homeserver.bodies(room).length >= bodies.length, 60_000);
    equal(this.homeserver.bodies(room), bodies);
  }

  /** A command to Chromium. */
  command(name, params = {}) {
    return this.browser.driver.sendAndGetDevToolsCommand(name, params);
  }

  /** Ends the workers of service that run. */
  async kill() {
    await this.command("ServiceWorker.enable");
    await this.command("ServiceWorker.stopAllWorkers");
  }

  /** Wakes the worker of whatever registration this origin has, as the browser does when there is a network. */
  async wake(method, params) {
    await this.command("ServiceWorker.enable");
    for (let registrationId = 0; registrationId < 40; registrationId += 1) {
      await this.command(method, { origin: this.url, registrationId: String(registrationId), ...params }).catch(
        () => {},
      );
    }
  }
}

const sync = { tag: "haos.outbox", lastChance: false };
const { test: add, run } = suite();
const test = (name, body) =>
  add(name, async (browser, engine) => {
    const world = await World.make(browser);
    try {
      return await body(world, engine);
    } finally {
      await world.end();
    }
  });

test("shell: it is there without a server, also at a path within", async (world) => {
  await world.open();
  await world.stop();
  await world.tab.reload();
  equal(await world.tab.run("return document.title"), "shell 1");
  ok((await world.tab.run("return (await (await app.chat).account()).user")).startsWith("@ada"));
  await world.tab.goto(`${world.url}/room/of/somebody?x=1`);
  equal(await world.tab.run("return document.title"), "shell 1");
});

test("assets: a hashed file is asked for once, an error is not kept", async (world) => {
  await world.open({ login: false });
  const ask = (name) => world.tab.run("return (await app.ask(args[0])).status", `/${name}`);
  await world.site.write(`/late-1a2b3c4d.css`, "a{}");
  equal([await ask("late-1a2b3c4d.css"), await ask("none-1a2b3c4d.css"), await ask("plain.css")], [200, 404, 404]);
  await rm(join(world.site.folder, `late-1a2b3c4d.css`));
  await world.site.write(`/none-1a2b3c4d.css`, "a{}");
  await world.site.write(`/plain.css`, "a{}");
  equal([await ask("late-1a2b3c4d.css"), await ask("none-1a2b3c4d.css"), await ask("plain.css")], [200, 200, 200]);
  await rm(join(world.site.folder, `plain.css`));
  equal(await ask("plain.css"), 404, "what has no hash is not kept");
});

test("offline page: where neither shell nor network is", async (world) => {
  await world.open({ login: false });
  await world.stop();
  for (const [path, title] of [
    ["admin/people", "offline"],
    ["people", "shell 1"],
  ]) {
    await world.tab.goto(`${world.url}/${path}`);
    equal(await world.tab.run("return document.title"), title);
  }
});

test("media: it is asked for once, and is there without a network", async (world) => {
  await world.open();
  const uri = world.homeserver.addFile(gif(200), "image/gif");
  const show = (...args) => world.tab.run("return app.picture(app.mediaUrl(...args))", uri, ...args);
  equal(await show(), 1);
  equal([await show(), world.downloads()], [1, 1]);
  equal(
    [await show({ width: 32, height: 32, crop: true }), world.downloads()],
    [1, 2],
    "a thumbnail is an item of its own",
  );
  ok(world.homeserver.network.requests.some(({ path }) => path.includes("/thumbnail/")));
  world.homeserver.network.offline();
  await world.stop();
  await world.tab.reload();
  equal([await show(), await show({ width: 32, height: 32, crop: true })], [1, 1]);
  equal((await world.ask("mxc://haos.test/other")).status, 504, "what is not there");
  equal(
    [await show({ width: 64, height: 64 }), (await world.ask(uri, { width: 64, height: 64 })).status],
    [1, 200],
    "the original",
  );
});

test("media: a range is answered as a server does", async (world) => {
  await world.open();
  const uri = world.homeserver.addFile(film, "video/mp4");
  const size = film.length;
  const whole = await world.ask(uri);
  equal([whole.status, whole.length, whole.headers["accept-ranges"]], [200, size, "bytes"]);
  const hash = await crypto.subtle.digest("SHA-256", film);
  equal(whole.hash, String(new Uint8Array(hash)));
  const cases = [
    ["bytes=0-0", 206, `bytes 0-0/${size}`, 1],
    ["bytes=5-9", 206, `bytes 5-9/${size}`, 5],
    ["bytes=0-", 206, `bytes 0-${size - 1}/${size}`, size],
    [`bytes=${MB - 1}-${2 * MB}`, 206, `bytes ${MB - 1}-${2 * MB}/${size}`, MB + 2],
    [`bytes=${size - 1}-`, 206, `bytes ${size - 1}-${size - 1}/${size}`, 1],
    [`bytes=9-${size + 99}`, 206, `bytes 9-${size - 1}/${size}`, size - 9],
    ["bytes=-7", 206, `bytes ${size - 7}-${size - 1}/${size}`, 7],
    [`bytes=-${size + 7}`, 206, `bytes 0-${size - 1}/${size}`, size],
    [`bytes=${size}-`, 416, `bytes */${size}`],
    ["bytes=99999999999999999999-", 416, `bytes */${size}`],
    ["bytes=-0", 416, `bytes */${size}`],
    ["bytes=7-5", 200, undefined, size],
    ["bytes=0-1,5-6", 200, undefined, size],
    ["lines=1-2", 200, undefined, size],
  ];
  for (const [Range, status, said, length] of cases) {
    const answer = await world.ask(uri, {}, { headers: { Range } });
    equal([answer.status, answer.headers["content-range"]], [status, said], Range);
    if (length === undefined) continue;
    const start = Number(/ (\d+)-/.exec(said ?? "")?.[1] ?? 0);
    equal([answer.length, answer.first, answer.last], [length, film[start], film[start + length - 1]], Range);
    equal(answer.headers["content-length"], String(length), Range);
  }
  const told = await world.ask(uri, {}, { method: "HEAD" });
  equal([told.status, told.length, told.headers["content-length"]], [200, 0, String(size)]);
  equal((await world.ask(uri, {}, { method: "POST" })).status, 405);
  equal(world.downloads(), 1, "all of it from the store");
});

test("media: only what is harmless is shown, and nothing of it runs", async (world) => {
  await world.open();
  const types = [
    ["image/gif", "image/gif", "inline"],
    ["Text/Plain; charset=latin1", "text/plain; charset=utf-8", "inline"],
    ["text/html", "application/octet-stream", "attachment"],
    ["image/svg+xml", "application/octet-stream", "attachment"],
    ["application/javascript", "application/octet-stream", "attachment"],
  ];
  for (const [mime, type, how] of types) {
    const { headers } = await world.ask(world.homeserver.addFile(gif(1), mime));
    equal([headers["content-type"], headers["content-disposition"]], [type, how], mime);
    equal([headers["x-content-type-options"], headers["cache-control"]], ["nosniff", "no-store"]);
    ok(/^sandbox; default-src 'none'/.test(headers["content-security-policy"]), headers["content-security-policy"]);
  }
  const { headers } = await world.ask(world.homeserver.addFile(gif(1), "image/gif"), { download: "a'b\r\n\"c.gif" });
  equal(headers["content-disposition"], "attachment; filename*=UTF-8''a%27b%0D%0A%22c.gif");
  for (const path of ["x", "x/", "a/b/c", "%ff/x", "x/y?width=5", "x/y?width=0&height=1", "x/y?width=1e3&height=9"]) {
    equal(await world.tab.run("return (await app.ask('/haos/media/' + args[0])).status", path), 400, path);
  }
});

test("media: an error is not kept", async (world) => {
  await world.open();
  const uri = world.homeserver.addFile(gif(1), "image/gif");
  const match = ({ method, url }) => method === "GET" && url.includes("/media/");
  world.homeserver.network.refuse({ status: 404, errcode: "M_NOT_FOUND", times: 1, match });
  equal((await world.ask(uri)).status, 404);
  equal((await world.ask(uri)).status, 200);
  const large = world.homeserver.addFile(new Uint8Array(21 * MB), "video/mp4");
  equal((await world.ask(large)).status, 413, "what the store does not keep");
});

test("media: nobody without a login has it, and no other site", async (world, engine) => {
  await world.open();
  const uri = world.homeserver.addFile(gif(1), "image/gif");
  equal((await world.ask(uri)).status, 200);
  const address = await world.tab.run("return new URL(app.mediaUrl(args[0]), location.href).href", uri);

  // A page of the application may open it, another site and whoever types it may not. Other drivers than that of Chromium do not
  // look into a sandbox.
  if (engine === "chromium") {
    const open = async (from) => {
      await world.tab.goto(from);
      // The page may be gone before it is known that this was done.
      await world.tab.run("setTimeout(() => (location.href = args[0]))", address).catch(() => {});
      await until("it is open", () => world.tab.run("return location.href === args[0]", address).catch(() => false));
      return world.tab.run("return [document.contentType, document.body.textContent]");
    };
    equal((await open(`${world.url}/`))[0], "image/gif");
    const refusal = ["text/plain", "media is for the pages of the application"];
    equal(await open(`http://localhost:${world.port}/app.mjs`), refusal);
    await world.tab.goto(address);
    equal(await world.tab.run("return [document.contentType, document.body.textContent]"), refusal);
  }

  await world.tab.goto(`${world.url}/`);
  await world.controlled();
  await world.tab.run("await (await app.chat).logout()");
  equal((await world.ask(uri)).status, 403);
  await world.tab.run("await (await app.chat).close()");
  await world.tab.goto(`${world.url}/app.mjs`);
  const alone = await world.tab.run("return (await fetch(args[0])).status", address);
  equal(alone, 403, "nor by the worker's own engine");
});

test("API: nothing of it is kept", async (world) => {
  await world.open();
  const room = world.room("!api:haos.test");
  world.homeserver.say(room, "bob", "hello");
  const versions = () => world.tab.run("return fetch('/_matrix/client/versions').then((it) => it.status, () => 0)");
  equal(await versions(), 200);
  const kept = await world.tab.run(`
    const urls = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
    }
    return urls`);
  ok(kept.length > 5);
  equal(
    kept.filter((url) => /_matrix|haos\/media/.test(url)),
    [],
  );
  await world.stop();
  equal(await versions(), 0);
});

test("avatars: a new one is shown at once, the old one stays as it was", async (world) => {
  await world.open();
  const room = world.room("!avatar:haos.test");
  const uris = [gif(1), gif(2)].map((bytes) => world.homeserver.addFile(bytes, "image/gif"));
  const hashes = [];
  for (const url of uris) {
    world.homeserver.event(room, { type: "m.room.avatar", sender: "bob", stateKey: "", content: { url } });
    await world.tab.run(
      `const rooms = (await app.chat).rooms();
       for await (const all of rooms) if (all.some(({ avatar }) => avatar === args[0])) break;
       rooms.close();`,
      url,
    );
    hashes.push((await world.ask(url, { width: 48, height: 48, crop: true })).hash);
  }
  ok(hashes[0] !== hashes[1]);
  equal((await world.ask(uris[0], { width: 48, height: 48, crop: true })).hash, hashes[0]);
});

test("media: what the store gives up is fetched again", async (world) => {
  await world.open();
  const uri = world.homeserver.addFile(gif(1), "image/gif");
  await world.ask(uri);
  const { media } = await world.tab.run("return (await app.chat).clear('media')");
  equal([media, world.downloads()], [1, 1]);
  equal([(await world.ask(uri)).status, world.downloads()], [200, 2]);
});

test("media: with no page that answers the worker has an engine of its own", async (world) => {
  await world.open();
  const uri = world.homeserver.addFile(film, "video/mp4");
  await world.tab.run("await (await app.chat).close()");
  const address = await world.tab.run("return new URL(app.mediaUrl(args[0]), location.href).href", uri);
  await world.tab.goto(`${world.url}/offline.html`);
  const body = `
    const answer = await fetch(args[0], { headers: { Range: "bytes=1048570-1048580" } });
    return [answer.status, answer.headers.get("Content-Range"), [...new Uint8Array(await answer.arrayBuffer())]]`;
  const expected = [206, `bytes 1048570-1048580/${film.length}`, [...film.slice(1048570, 1048581)]];
  equal(await world.tab.run(body, address), expected);
  world.homeserver.network.offline();
  equal(await world.tab.run(body, address), expected);
});

test("update: the page decides when, and what is unsent goes on", async (world) => {
  await world.open();
  const room = world.room("!update:haos.test");
  const other = await world.browser.open(`${world.url}/`);
  await world.controlled(other);
  await world.tab.run("const timeline = (await app.chat).timeline(args[0]); await timeline.ready;", room);
  world.homeserver.network.offline();
  await world.tab.run("await (await app.chat).send(args[0], 'before')", room);
  await world.site.app({ version: "2" });
  await world.tab.run("await (await app.worker).check()");
  await until("it waits", () => world.tab.run("return (await app.worker).updateReady"), 30_000);
  const script = "return (await navigator.serviceWorker.getRegistration()).waiting !== null";
  ok(await world.tab.run(script), "it does not take over by itself");
  await world.tab.reload();
  await world.controlled();
  equal(await world.tab.run("return app.version"), "1");
  await world.tab.run("const worker = await app.worker; setTimeout(() => worker.reload())").catch(() => {});
  await until("it is new", () => world.tab.run("return app.version === '2'").catch(() => false), 30_000);
  ok(await until("the other page hears", () => other.run("return (await app.worker).updateReady")));
  equal(await other.run("return app.version"), "1", "and goes on as it is");
  await other.close();
  world.homeserver.network.online();
  await world.tab.run("await (await app.chat).tryNow()");
  await world.isSent(room, ["before"]);
});

test("update: one in the middle of a send sends once", async (world) => {
  await world.open();
  const room = world.room("!midway:haos.test");
  const live =
    "const all = (await app.chat).connection(); for await (const { state } of all) if (state === 'live') break; all.close();";
  await world.tab.run(live);
  await world.site.app({ version: "2" });
  await world.tab.run("await (await app.worker).check()");
  await until("it waits", () => world.tab.run("return (await app.worker).updateReady"), 30_000);
  world.homeserver.network.latency(1500);
  const midway = `
    const [chat, worker] = [await app.chat, await app.worker];
    await chat.send(args[0], "midway");
    setTimeout(() => worker.reload());`;
  await world.tab.run(midway, room).catch(() => {});
  await until("it is new", () => world.tab.run("return app.version === '2'").catch(() => false), 60_000);
  world.homeserver.network.latency(0);
  await world.isSent(room, ["midway"]);
});

test("no service worker: the page says why, and works", async (world) => {
  const room = world.room("!none:haos.test");
  await world.open();
  const why = await world.tab.run(`
    const { register } = await import("@haos/web/register");
    const failed = await register({ script: "/nothing.js", chat: app.chat });
    Object.defineProperty(navigator, "serviceWorker", { value: undefined, configurable: true });
    const without = await register({ script: "/sw.js", chat: app.chat });
    const told = [failed, without].map((it) => [it.missing.code, it.background, it.servesMedia, it.updateReady]);
    await without.check();
    return [told, failed.missing.message, without.missing.message, await without.lastBackground() ?? null]`);
  equal(why[0], Array(2).fill(["unsupported", "none", false, false]));
  ok(why[1].length > 20 && why[2].length > 20 && why[3] === null);
  await world.tab.run("await (await app.chat).send(args[0], 'without')", room);
  await world.isSent(room, ["without"]);
});

test("a store that does not open: the shell and the reason are there", async (world) => {
  await world.open({ login: false });
  const status = await world.tab.run("return (await app.ask(app.mediaUrl('mxc://haos.test/x'))).status");
  equal(status, 403);
  await world.tab.run("await (await app.chat).close()");
  await world.tab.goto(`${world.url}/offline.html`);
  await world.tab.run(`await new Promise((done, failed) => {
    const request = indexedDB.deleteDatabase("chat");
    request.onsuccess = done;
    request.onerror = failed;
  })`);
  const answer = "const answer = await fetch('/haos/media/haos.test/x'); return [answer.status, await answer.text()]";
  const [code, text] = await world.tab.run(answer);
  equal(code, 403);
  ok(text.includes("log in"), text);
  const names = await world.tab.run("return (await indexedDB.databases()).map(({ name }) => name)");
  ok(!names.includes("chat"), "the worker makes no store");
});

/** What only Chromium has, and is driven through its own commands. */
const chromium = (name, body) =>
  test(name, async (world, engine) => {
    if (engine !== "chromium") return "it needs the commands of Chromium";
    return body(world);
  });

/** Writes a message without a network, and closes every page of the application. */
async function left(world, room, text) {
  await until(
    "the room is there",
    () => world.tab.run("return (await (await app.chat).rooms().ready).length > 0"),
    30_000,
  );
  world.homeserver.network.offline();
  await world.tab.run("await (await app.chat).send(args[0], args[1])", room, text);
  const tags = "return (await navigator.serviceWorker.getRegistration()).sync.getTags()";
  await until("the browser is asked", async () => (await world.tab.run(tags)).includes("haos.outbox"), 30_000);
  await world.tab.goto("about:blank");
}

chromium("Background Sync: with every page closed what was written is sent", async (world) => {
  const room = world.room("!sync:haos.test");
  await world.open();
  await left(world, room, "closed");
  world.homeserver.network.online();
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  await world.isSent(room, ["closed"]);
  await world.tab.goto(`${world.url}/`);
  const report = await until("it is told", () => world.tab.run("return (await app.worker).lastBackground()"));
  equal([report.by, report.outcome], ["sync", "sent"]);
});

chromium("Background Sync: what goes to an encrypted room is encrypted by the worker alone", async (world) => {
  const room = "!secret:haos.test";
  world.homeserver.room(room, { encrypted: true, members: ["ada", "bob"] });
  await world.open();
  await until("ada has keys", () => world.homeserver.encryptingDevices("ada").length > 0, 30_000);
  await left(world, room, "closed");
  world.homeserver.network.online();
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  const sent = () => world.homeserver.events(room).filter(({ type }) => !/^m\.room\.(?!encrypted|message)/.test(type));
  await until("it is sent", () => sent().length > 0, 60_000);
  equal(
    sent().map(({ type }) => type),
    ["m.room.encrypted"],
  );
  await world.tab.goto(`${world.url}/`);
  const shown = `
    const timeline = (await app.chat).timeline(args[0]);
    const items = await timeline.ready;
    return items.filter(({ content }) => content?.body).map(({ type, content }) => [type, content.body])`;
  await until(
    "it is shown",
    async () => {
      const [item] = await world.tab.run(shown, room);
      return item?.[0] === "event" && item[1] === "closed";
    },
    30_000,
  );
});

for (const [by, method, params] of [
  ["periodicsync", "ServiceWorker.dispatchPeriodicSyncEvent", { tag: "haos.outbox" }],
  ["push", "ServiceWorker.deliverPushMessage", { data: "" }],
]) {
  chromium(`${by}: it is a reason to send as well`, async (world) => {
    const room = world.room(`!${by}:haos.test`);
    await world.open();
    await left(world, room, by);
    world.homeserver.network.online();
    await world.wake(method, params);
    await world.isSent(room, [by]);
  });
}

chromium("Background Sync: a page that is open sends, and nothing twice", async (world) => {
  const room = world.room("!open:haos.test");
  await world.open();
  await until(
    "the room is there",
    () => world.tab.run("return (await (await app.chat).rooms().ready).length > 0"),
    30_000,
  );
  world.homeserver.network.latency(300);
  await world.tab.run("await (await app.chat).send(args[0], 'open')", room);
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  await world.isSent(room, ["open"]);
});

chromium("sealed: a page gives the pictures, the worker sends only with the key", async (world) => {
  const room = world.room("!sealed:haos.test");
  const uri = world.homeserver.addFile(gif(1), "image/gif");
  await world.open({ secret: "red green blue" });
  equal((await world.ask(uri)).status, 200);
  await left(world, room, "sealed");
  await world.kill();
  world.homeserver.network.online();
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  await world.tab.goto(`${world.url}/offline.html`);
  equal(await world.tab.run("return (await fetch(args[0])).status", `/haos/media/${uri.slice(6)}`), 423);
  await world.tab.goto(`${world.url}/`);
  const report = await until("it is told", () =>
    world.tab.run("const it = await (await app.worker).lastBackground(); return it && [it.outcome, it.error?.code]"),
  );
  equal(report, ["failed", "sealed"]);
  await world.isSent(room, ["sealed"]);
});

chromium("sealed: with the key in its memory the worker sends", async (world) => {
  const room = world.room("!handed:haos.test");
  await world.open({ secret: "red green blue", handed: "red green blue" });
  await left(world, room, "handed");
  world.homeserver.network.online();
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  await world.isSent(room, ["handed"]);
});

chromium("an engine that does not load in the worker loses nothing", async (world) => {
  const room = world.room("!broken:haos.test");
  const files = { first: "/nothing_first.wasm", rest: "/nothing_rest.wasm" };
  await world.open();
  await left(world, room, "broken");
  await world.tab.goto(`${world.url}/offline.html`);
  await world.tab.run(
    `const { scope } = await navigator.serviceWorker.getRegistration();
     const cache = await caches.open("haos-notes");
     await cache.put(new URL(".haos/files", scope).href, new Response(JSON.stringify(args[0])));`,
    files,
  );
  await world.tab.goto("about:blank");
  await world.kill();
  world.homeserver.network.online();
  await world.wake("ServiceWorker.dispatchSyncEvent", sync);
  await new Promise((done) => setTimeout(done, 1000));
  equal(world.homeserver.bodies(room), []);
  await world.tab.goto(`${world.url}/`);
  await world.isSent(room, ["broken"]);
});

const failed = await runPages({ url: "about:blank", modules: [], more: (browser, engine) => run(browser, engine) });
process.exitCode = failed === 0 ? 0 : 1;
