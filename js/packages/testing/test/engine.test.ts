import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";

const built = new URL("../../dist/", import.meta.url);
const skip = existsSync(new URL("engine/haos_client_web_bg.wasm", built)) ? false : "dist/engine is not built";

const ROOM = "!lobby:haos.test";

/** Waits until something is so. */
async function until(what: string, look: () => boolean): Promise<void> {
  for (let end = Date.now() + 60_000; !look(); ) {
    assert.ok(Date.now() < end, `waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test("the engine sends each message once and in order through a network that loses answers", { skip }, async () => {
  const { Homeserver, install, openInMemory } = (await import(
    new URL("index.js", built).href
  )) as typeof import("../src/index.js");
  const server = new Homeserver();
  server.room(ROOM, { members: ["ada", "bob"] });
  for (let i = 0; i < 30; i += 1) server.say(ROOM, "bob", `old ${i}`);
  const { uninstall } = install(server);
  const chat = await openInMemory();
  try {
    await chat.login("https://haos.test", { user: "ada", password: "any" });
    const connection = chat.connection();
    await until("it is live", () => connection.value?.state === "live");
    const isSend = (request: Request): boolean => request.url.includes("/send/");
    const sent: string[] = [];
    const send = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        sent.push(`new ${sent.length}`);
        await chat.send(ROOM, sent.at(-1) ?? "");
      }
    };
    const own = (): string[] => server.bodies(ROOM).filter((body) => body.startsWith("new"));
    const all = (): boolean => own().length >= sent.length && connection.value?.unsent === 0;
    server.network.dropAnswers(1, isSend);
    await send(5);
    await until("what came through a lost answer is sent", all);
    server.network.refuse({ status: 502, errcode: "M_UNKNOWN", times: 1, match: isSend });
    await send(5);
    await until("what was refused for a moment is sent", all);
    server.network.offline();
    await send(5);
    await until("what has no network waits", () => connection.value?.unsent === 5);
    server.network.online();
    await chat.tryNow();
    await until("everything is sent", all);
    assert.deepEqual(own(), sent);
    const tries = server.network.requests.filter(({ path }) => path.includes("/send/")).length;
    assert.ok(tries >= sent.length + 2, "the network failed on the way");

    // What a limited sync leaves out is behind a gap, and comes with the pages before it.
    const timeline = chat.timeline(ROOM, { limit: 10 });
    await timeline.ready;
    while (timeline.hasOlder) await timeline.older();
    const shown = (): string[] =>
      (timeline.value ?? []).flatMap((item) =>
        item.type === "event" && item.content.type === "text" ? [item.content.body] : [],
      );
    await until("the timeline is the server's", () => shown().length >= server.bodies(ROOM).length);
    assert.deepEqual(shown(), server.bodies(ROOM));
  } finally {
    await chat.close();
    uninstall();
  }
});
