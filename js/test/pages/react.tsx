// The hooks in a page, over the engine in a worker and IndexedDB. It is bundled with each major version of React.

import { HaosProvider, useComposer, useConnection, useHaos, useOutbox, useRooms, useTimeline } from "@haos/react";
import { open } from "@haos/web";
import { StrictMode, version, type ReactNode } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

import { equal, ok, suite, until } from "/test/suite.mjs";

const { test, run: all } = suite();

let matrix = "";
let tell: (...told: unknown[]) => Promise<unknown>;

/** Runs the tests against a homeserver, which is told over another address what to do. */
export async function run(url: string, control: string): Promise<unknown> {
  matrix = url;
  tell = async (...told) => {
    const response = await fetch(control, { method: "POST", body: JSON.stringify(told) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  const results = (await all()) as { name: string }[];
  return results.map((result) => ({ ...result, name: `React ${version}: ${result.name}` }));
}

interface Hooks {
  timeline: ReturnType<typeof useTimeline>;
  composer: ReturnType<typeof useComposer>;
}

/** A page with a room, mounted in strict mode. */
function mount(name: string, room: string) {
  const hooks = {} as Hooks;
  const Room = (): ReactNode => {
    const [timeline, composer] = [useTimeline(room, { limit: 20 }), useComposer(room)];
    Object.assign(hooks, { timeline, composer });
    return (
      <section>
        <ol>
          {timeline.items.map((item) => (
            <li key={item.id}>{"content" in item && "body" in item.content ? item.content.body : ""}</li>
          ))}
        </ol>
        <textarea value={composer.text} onChange={(event) => composer.setText(event.target.value)} />
      </section>
    );
  };
  const Status = (): ReactNode => <p>{`${useConnection()?.state} ${useOutbox().rows.length}`}</p>;
  const Page = (): ReactNode => {
    const { haos, error } = useHaos();
    const { rooms } = useRooms();
    const login = (): void => void haos?.login(matrix, { user: "ada", password: "any" });
    return (
      <>
        <button disabled={haos === undefined} onClick={login} />
        <b>{error?.message}</b>
        <Status />
        {rooms.some(({ id }) => id === room) ? <Room /> : null}
      </>
    );
  };
  const host = document.body.appendChild(document.createElement("main"));
  const root = createRoot(host);
  root.render(
    <StrictMode>
      <HaosProvider client={() => open({ name })}>
        <Page />
      </HaosProvider>
    </StrictMode>,
  );
  const select = <E extends Element>(selector: string): E | null => host.querySelector<E>(selector);
  return {
    hooks,
    status: () => select("p")?.textContent ?? "",
    login: async () => {
      await until("the chat is open", () => select<HTMLButtonElement>("button")?.disabled === false);
      select<HTMLButtonElement>("button")?.click();
    },
    shown: () => [...host.querySelectorAll("li")].map((item) => item.textContent ?? "").filter((body) => body !== ""),
    area: () => select<HTMLTextAreaElement>("textarea"),
    async unmount() {
      root.unmount();
      host.remove();
      // The provider closes the chat a tick later.
      await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
}

/** Types as a person does: through the element, whose setter React watches. */
function type(area: HTMLTextAreaElement, text: string): void {
  const set = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value")?.set;
  flushSync(() => {
    set?.call(area, text);
    area.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

async function roomOf(messages: number): Promise<string> {
  const room = `!${crypto.randomUUID().slice(0, 8)}:haos.test`;
  await tell("room", room, { name: "Room", members: ["ada", "bob"] });
  for (let i = 0; i < messages; i += 1) await tell("say", room, "bob", `m${i}`);
  return room;
}

test("a room is shown, paged, written in; what was read and written is there without a network", async () => {
  const room = await roomOf(60);
  const name = `react-${crypto.randomUUID().slice(0, 8)}`;
  const first = mount(name, room);
  await first.login();
  await until("the newest message is shown", () => first.shown().at(-1) === "m59");
  ok(first.shown().length <= 20, "the window is as large as it was asked to be");
  while (first.hooks.timeline.hasOlder) await first.hooks.timeline.older();
  await until("all messages are shown", () => first.shown().length === 60);
  equal(
    first.shown(),
    Array.from({ length: 60 }, (_, i) => `m${i}`),
  );

  const area = first.area();
  ok(area !== null);
  type(area!, "hel");
  type(area!, "hello");
  equal(area!.value, "hello", "a keystroke is shown at once");
  ok(await first.hooks.composer.send(), "it is sent");
  await until("the message is shown", () => first.shown().at(-1) === "hello");
  equal(area!.value, "");
  await until("the server has it", async () => ((await tell("bodies", room)) as string[]).at(-1) === "hello");
  await tell("say", room, "bob", "an answer");
  await until("the answer is shown", () => first.shown().at(-1) === "an answer");

  type(area!, "half a");
  await first.unmount();
  await tell("network.offline");
  try {
    const second = mount(name, room);
    await until("what was read is there", () => second.shown().at(-1) === "an answer");
    await until("the draft is there", () => second.area()?.value === "half a");
    type(second.area()!, "half a sentence");
    ok(await second.hooks.composer.send(), "it is kept");
    await until("it is shown as unsent", () => second.shown().at(-1) === "half a sentence");
    await until("it is counted as unsent", () => second.status().endsWith(" 1"));
    await tell("network.online");
    await until("it is sent", () => second.status() === "live 0", 30_000);
    const bodies = (await tell("bodies", room)) as string[];
    equal(bodies.slice(-3), ["hello", "an answer", "half a sentence"]);
    await second.unmount();
  } finally {
    await tell("network.online");
  }
});
