// The packages on a server, and chats of the memory alone, as an application's tests have them.

import assert from "node:assert/strict";
import test from "node:test";

const before = Object.keys(globalThis);
const { createClient, HaosError } = await import("@haos/client");
const { HaosProvider, useHaos, useRooms, useTimeline } = await import("@haos/react");
const { open } = await import("@haos/web");
const { Homeserver, install, openInMemory } = await import("@haos/testing");
const { serve } = await import("@haos/testing/node");
const { createElement } = await import("react");
const { renderToString } = await import("react-dom/server");

const ROOM = "!lobby:haos.test";

test("an import does nothing", () => {
  assert.deepEqual(Object.keys(globalThis), before);
  assert.equal(typeof createClient, "function");
});

test("a chat on the disk is refused on a server", async () => {
  await assert.rejects(open({ name: "chat" }), (error) => {
    assert.ok(error instanceof HaosError);
    assert.equal(error.code, "unsupported");
    return true;
  });
});

test("a server renders what is empty, and opens nothing", () => {
  const Rooms = () => {
    const [{ haos, loading }, { rooms }, { items }] = [useHaos(), useRooms(), useTimeline(ROOM)];
    return createElement("p", null, `${haos === undefined} ${loading} ${rooms.length} ${items.length}`);
  };
  const client = () => assert.fail("it was opened");
  const html = renderToString(createElement(HaosProvider, { client }, createElement(Rooms)));
  assert.equal(html, "<p>true true 0 0</p>");
});

/** @type {[name: string, begin: (server: InstanceType<typeof Homeserver>) => Promise<{ url: string, end: () => unknown }>][]} */
const ways = [
  ["installed", async (server) => ({ url: "https://haos.test", end: install(server).uninstall })],
  [
    "served",
    async (server) => {
      const { url, close } = await serve({ homeserver: server });
      return { url, end: close };
    },
  ],
];
for (const [way, begin] of ways) {
  test(`a chat of the memory, with a model homeserver that is ${way}`, { timeout: 30_000 }, async () => {
    const server = new Homeserver();
    server.room(ROOM, { name: "Lobby", members: ["ada", "bob"] });
    server.say(ROOM, "bob", "hello");
    const { url, end } = await begin(server);
    const chat = await openInMemory();
    try {
      await chat.login(url, { user: "ada", password: "any" });
      const timeline = chat.timeline(ROOM);
      const shows = async (/** @type {string[]} */ wanted) => {
        for await (const items of timeline) {
          const bodies = items.flatMap((item) =>
            (item.type === "event" || item.type === "local") && item.content.type === "text" ? [item.content.body] : [],
          );
          if (bodies.join() === wanted.join()) return;
        }
        assert.fail("the timeline ended");
      };
      await shows(["hello"]);
      server.network.offline();
      await chat.send(ROOM, "one");
      await chat.send(ROOM, "two");
      await shows(["hello", "one", "two"]);
      assert.deepEqual(server.bodies(ROOM), ["hello"]);
      server.network.online();
      await chat.tryNow();
      for await (const rows of chat.outbox()) if (rows.length === 0) break;
      assert.deepEqual(server.bodies(ROOM), ["hello", "one", "two"]);
    } finally {
      await chat.close();
      await end();
    }
  });
}
