import { urls } from "./dom.js";

import { act, cleanup, render, waitFor } from "@testing-library/react";
import { HaosProvider, useComposer, useConnection, useHaos, useOutbox, useRooms, useTimeline } from "@haos/react";
import { Homeserver, install, openInMemory } from "@haos/testing";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { StrictMode, version, type ReactNode } from "react";

const ROOM = "!lobby:haos.test";
const engine = new URL("./engine/haos_client_web_bg.wasm", import.meta.resolve("@haos/testing"));
const skip = existsSync(engine) ? false : "packages/testing/dist/engine is not built";

/** What a test does with the page. */
interface Handles {
  older(): Promise<unknown>;
  setText(text: string): void;
  send(): Promise<boolean>;
}

function Room({ handles }: { handles: Partial<Handles> }): ReactNode {
  const { items, older, hasOlder } = useTimeline(ROOM, { limit: 10 });
  const { text, setText, send } = useComposer(ROOM);
  Object.assign(handles, { older, setText, send });
  return (
    <section>
      <ol>
        {items.map((item) => (
          <li key={item.id} data-type={item.type}>
            {"content" in item && "body" in item.content ? item.content.body : item.type}
          </li>
        ))}
      </ol>
      <textarea readOnly value={text} />
      {hasOlder ? <button>older</button> : null}
    </section>
  );
}

function Login({ children }: { children: ReactNode }): ReactNode {
  const { haos, loading, error } = useHaos();
  const { rooms } = useRooms();
  const connection = useConnection();
  const unsent = useOutbox().rows.length;
  const login = (): void => void haos?.login("https://haos.test", { user: "ada", password: "any" });
  return (
    <>
      <header>
        {loading ? "opening" : null}
        {error?.message}
        <button id="login" onClick={login} />
        <p id="rooms">{rooms.map(({ name }) => name).join()}</p>
        <p id="connection">{`${connection?.state} ${unsent}`}</p>
      </header>
      {rooms.length > 0 ? children : null}
    </>
  );
}

test(
  `React ${version}: a chat over the engine and a homeserver, with a network that goes and comes`,
  { skip },
  async () => {
    const server = new Homeserver();
    server.room(ROOM, { name: "Lobby", members: ["ada", "bob"] });
    for (let i = 0; i < 60; i += 1) server.say(ROOM, "bob", `m${i}`);
    const { uninstall } = install(server);
    const handles: Partial<Handles> = {};
    const { container, unmount } = render(
      <StrictMode>
        <HaosProvider client={() => openInMemory()}>
          <Login>
            <Room handles={handles} />
            <Room handles={{}} />
          </Login>
        </HaosProvider>
      </StrictMode>,
    );
    const at = (selector: string): string => container.querySelector(selector)?.textContent ?? "";
    const shown = (): string[] =>
      [...(container.querySelector("ol")?.querySelectorAll("li[data-type=event], li[data-type=local]") ?? [])].map(
        (item) => item.textContent ?? "",
      );
    const patient = { timeout: 20_000 };
    try {
      await waitFor(() => assert.ok(!at("header").includes("opening")), patient);
      assert.equal(at("#rooms"), "");
      act(() => container.querySelector<HTMLButtonElement>("#login")?.click());
      await waitFor(() => assert.equal(at("#rooms"), "Lobby"), patient);
      await waitFor(() => assert.deepEqual([shown().length, shown().at(-1)], [10, "m59"]), patient);
      assert.equal(container.querySelectorAll("ol")[1]?.textContent, container.querySelector("ol")?.textContent);

      for (let page = 0; page < 10 && at("section").includes("older"); page += 1) {
        await act(() => handles.older?.() ?? Promise.resolve());
      }
      const messages = (): string[] => shown().filter((body) => /^m\d+$/.test(body));
      assert.deepEqual(
        messages(),
        Array.from({ length: 60 }, (_, i) => `m${i}`),
      );

      await waitFor(() => assert.equal(at("#connection"), "live 0"), patient);
      server.network.offline();
      act(() => handles.setText?.("written offline"));
      assert.equal(container.querySelector("textarea")?.value, "written offline");
      assert.equal(await act(() => handles.send?.() ?? Promise.resolve(false)), true);
      assert.equal(container.querySelector("textarea")?.value, "");
      await waitFor(() => assert.equal(shown().at(-1), "written offline"), patient);
      await waitFor(() => assert.match(at("#connection"), / 1$/), patient);
      assert.ok(!server.bodies(ROOM).includes("written offline"));

      server.network.online();
      await waitFor(() => assert.equal(server.bodies(ROOM).at(-1), "written offline"), patient);
      await waitFor(() => assert.equal(at("#connection"), "live 0"), patient);
      server.say(ROOM, "bob", "an answer");
      await waitFor(() => assert.deepEqual(shown().slice(-2), ["written offline", "an answer"]), patient);
      assert.equal(server.bodies(ROOM).filter((body) => body === "written offline").length, 1);
    } finally {
      unmount();
      cleanup();
      uninstall();
      assert.equal(urls.size, 0);
    }
  },
);
