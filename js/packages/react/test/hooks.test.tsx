import { urls } from "./dom.js";
import { FakeHaos } from "./fake/haos.js";
import { FakeTimeline } from "./fake/timeline.js";

import { act, cleanup, render, renderHook, waitFor, type RenderHookResult } from "@testing-library/react";
import { HaosError } from "@haos/client";
import {
  HaosProvider,
  useComposer,
  useConnection,
  useHaos,
  useMediaUrl,
  useMembers,
  useOutbox,
  useRooms,
  useStorage,
  useSyncProgress,
  useTimeline,
  useTyping,
  useUpload,
  type HaosSource,
} from "@haos/react";

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, suite, test } from "node:test";
import { StrictMode, version, type ReactNode } from "react";
import { renderToString } from "react-dom/server";

const ROOM = "!lobby:haos.test";
const BOB = "@bob:haos.test";

/** Timers of no length and promises that are due are done. */
const settle = (): Promise<void> => act(() => new Promise<void>((resolve) => setTimeout(resolve, 5)));

function lobby(messages = 0): FakeHaos {
  const haos = new FakeHaos();
  haos.addRoom(ROOM, { name: "Lobby", members: [BOB] });
  for (let i = 0; i < messages; i += 1) haos.receive(ROOM, BOB, String(i));
  return haos;
}

const within =
  (client: HaosSource) =>
  ({ children }: { children: ReactNode }) => <HaosProvider client={client}>{children}</HaosProvider>;

/** A hook in a component of its own, with the number of times that it was rendered. */
async function hook<T>(
  client: HaosSource,
  use: () => T,
): Promise<RenderHookResult<T, unknown> & { renders(): number }> {
  let count = 0;
  const rendered = renderHook(
    () => {
      count += 1;
      return use();
    },
    { wrapper: within(client) },
  );
  await settle();
  return { ...rendered, renders: () => count };
}

const bodies = (items: readonly { type: string }[]): string[] =>
  items.map((item) => (item as { content?: { body?: string } }).content?.body ?? item.type);

suite(`React ${version}`, () => {
  let complaints: string[];

  beforeEach(() => {
    complaints = [];
    for (const level of ["error", "warn"] as const) {
      mock.method(console, level, (...args: unknown[]) => void complaints.push(args.map(String).join(" ")));
    }
  });

  afterEach(async () => {
    cleanup();
    await settle();
    mock.restoreAll();
    assert.deepEqual(complaints, []);
    assert.deepEqual([...urls], [], "every address is given back");
  });

  test("the version is the one that is meant", () => {
    assert.match(version, /^(18|19)\./);
  });

  test("rooms are shown, and follow", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => useRooms());
    assert.equal(result.current.loading, false);
    assert.deepEqual(
      result.current.rooms.map(({ name, unread }) => [name, unread]),
      [["Lobby", 0]],
    );
    act(() => void haos.receive(ROOM, BOB, "hello"));
    assert.equal(result.current.rooms[0]?.unread, 1);
    assert.equal(await result.current.more(1), false);
  });

  test("however many components there are, the chat is subscribed to once, and left a tick after the last one", async () => {
    const haos = lobby();
    const Reader = () => {
      const { items } = useTimeline(ROOM);
      useRooms({ membership: "join" });
      return <p>{items.length}</p>;
    };
    const app = (readers: number) => (
      <HaosProvider client={haos}>
        {Array.from({ length: readers }, (_, i) => (
          <Reader key={i} />
        ))}
      </HaosProvider>
    );
    const { rerender, container } = render(app(20));
    await settle();
    const watches = ['rooms {"membership":"join"}', `timeline ${ROOM}`];
    assert.deepEqual(haos.watches.toSorted(), watches);
    act(() => void haos.receive(ROOM, BOB, "hello"));
    assert.equal(container.textContent, "1".repeat(20));
    rerender(app(1));
    await settle();
    assert.deepEqual(haos.watches.toSorted(), watches);
    rerender(app(0));
    assert.deepEqual(haos.watches.toSorted(), watches);
    await settle();
    assert.deepEqual(haos.watches, []);
  });

  test("a component that takes another's place goes on with its subscription", async () => {
    const haos = lobby(1);
    const timeline = mock.method(haos, "timeline");
    const A = () => <p>{useTimeline(ROOM).items.length}</p>;
    const B = () => <b>{useTimeline(ROOM).items.length}</b>;
    const app = (isA: boolean) => <HaosProvider client={haos}>{isA ? <A /> : <B />}</HaosProvider>;
    const { rerender, container } = render(app(true));
    await settle();
    rerender(app(false));
    assert.equal(container.innerHTML, "<b>1</b>");
    await settle();
    assert.equal(timeline.mock.callCount(), 1);
  });

  test("strict mode opens once, subscribes once, and closes what was opened", async () => {
    const haos = lobby(3);
    const timeline = mock.method(haos, "timeline");
    const open = mock.fn(() => Promise.resolve(haos));
    const Page = () => <p>{bodies(useTimeline(ROOM).items).join()}</p>;
    const { container, unmount } = render(
      <StrictMode>
        <HaosProvider client={open}>
          <Page />
        </HaosProvider>
      </StrictMode>,
    );
    await settle();
    assert.equal(container.textContent, "0,1,2");
    assert.deepEqual([open.mock.callCount(), timeline.mock.callCount()], [1, 1]);
    unmount();
    await settle();
    assert.deepEqual([haos.isClosed, haos.watches], [true, []]);
  });

  test("a function that is written in place opens one chat, and a chat that was given stays open", async () => {
    const haos = lobby();
    const open = mock.fn(() => haos);
    const app = () => <HaosProvider client={() => open()} />;
    const first = render(app());
    first.rerender(app());
    await settle();
    assert.equal(open.mock.callCount(), 1);
    first.unmount();
    await settle();
    assert.equal(haos.isClosed, true);
    const given = lobby();
    render(<HaosProvider client={given} />).unmount();
    await settle();
    assert.equal(given.isClosed, false);
  });

  test("a component renders again for what it reads alone", async () => {
    const haos = lobby(30);
    const items = await hook(haos, () => useTimeline(ROOM, { limit: 10 }).items.length);
    const paging = await hook(haos, () => useTimeline(ROOM, { limit: 10 }).paging);
    const functions = await hook(haos, () => useTimeline(ROOM, { limit: 10 }).older);
    const before = [items, paging, functions].map(({ renders }) => renders());
    const renders = (): number[] => [items, paging, functions].map((it, i) => it.renders() - (before[i] ?? 0));
    act(() => void haos.receive(ROOM, BOB, "hello"));
    assert.deepEqual(renders(), [1, 0, 0], "a message is about items");
    haos.hold();
    act(() => void functions.result.current(5));
    assert.deepEqual(renders(), [1, 1, 0], "a page begins: it is about being busy");
    await act(async () => haos.release());
    assert.equal(items.result.current, 16);
    assert.deepEqual(renders(), [2, 2, 0], "a page came: it is about items, and about being busy");
    act(() => haos.types(ROOM, [BOB]));
    assert.deepEqual(renders(), [2, 2, 0], "who types is about neither");
  });

  test("a field that is read late is as it is then, and followed from then on", async () => {
    const haos = lobby(1);
    const { result, renders } = await hook(haos, () => useTimeline(ROOM));
    act(() => void haos.receive(ROOM, BOB, "hello"));
    const before = renders();
    assert.deepEqual(bodies(result.current.items), ["0", "hello"]);
    act(() => void haos.receive(ROOM, BOB, "again"));
    assert.equal(renders(), before + 1);
    assert.deepEqual(bodies(result.current.items), ["0", "hello", "again"]);
  });

  test("what does not change is the same object, list and item", async () => {
    const haos = lobby(2);
    const { result, rerender } = await hook(haos, () => useTimeline(ROOM).items);
    const before = result.current;
    rerender();
    assert.equal(result.current, before);
    act(() => void haos.receive(ROOM, BOB, "hello"));
    assert.notEqual(result.current, before);
    assert.equal(result.current[1], before[1]);
  });

  test("a timeline is moved to both sides, keeps its place, and comes back", async () => {
    const haos = lobby(100);
    const { result } = await hook(haos, () => {
      const { items, firstIndex, hasOlder, isLive, paging, ...rest } = useTimeline(ROOM, { limit: 10 });
      return { ...rest, items, firstIndex, hasOlder, isLive, paging };
    });
    const first = result.current.firstIndex;
    const place = (body: string): number => result.current.firstIndex + bodies(result.current.items).indexOf(body);
    const was = place("95");
    const reach = await act(() => result.current.older());
    assert.deepEqual(reach, { isEnd: false, stopped: null }, "it says how far it came");
    assert.deepEqual([result.current.items.length, result.current.firstIndex], [20, first - 10]);
    assert.equal(place("95"), was, "an item keeps its index");
    act(() => void haos.receive(ROOM, BOB, "new"));
    assert.deepEqual([place("95"), bodies(result.current.items).at(-1)], [was, "new"]);
    const target = haos.items(ROOM)[40];
    assert.ok(target?.type === "event");
    await act(() => result.current.around(target.eventId));
    assert.deepEqual([result.current.isLive, bodies(result.current.items)[0]], [false, "35"]);
    act(() => void haos.receive(ROOM, BOB, "unseen"));
    assert.equal(bodies(result.current.items).at(-1), "44");
    await act(() => result.current.newer(3));
    assert.deepEqual(bodies(result.current.items).slice(-3), ["45", "46", "47"]);
    await act(() => result.current.older(100));
    assert.deepEqual([result.current.hasOlder, bodies(result.current.items)[0]], [false, "0"]);
    await act(() => result.current.toLive());
    assert.deepEqual([result.current.isLive, bodies(result.current.items).at(-1)], [true, "unseen"]);
    assert.equal(result.current.paging, undefined);
  });

  test("a page that is asked for while it comes is asked for once", async () => {
    const haos = lobby(100);
    const { result } = await hook(haos, () => {
      const { items, paging, older } = useTimeline(ROOM, { limit: 10 });
      return { items, paging, older };
    });
    haos.hold();
    await act(async () => {
      const calls = [result.current.older(), result.current.older()];
      assert.equal(calls[0], calls[1]);
    });
    assert.equal(result.current.paging, "older");
    await act(async () => haos.release());
    assert.deepEqual([result.current.items.length, result.current.paging], [20, undefined]);
  });

  test("timelines of one room under different names move apart", async () => {
    const haos = lobby(100);
    const { result } = await hook(haos, () => [
      useTimeline(ROOM, { limit: 10 }).items.length,
      useTimeline(ROOM, { limit: 10, name: "pane" }).items.length,
      useTimeline(ROOM, { limit: 10, name: "pane" }).older,
    ]);
    const older = result.current[2] as () => Promise<unknown>;
    await act(() => older());
    assert.deepEqual(result.current.slice(0, 2), [10, 20]);
  });

  test("another room is another timeline, also for a function that is read late", async () => {
    const haos = lobby(3);
    haos.addRoom("!other:haos.test");
    for (let i = 0; i < 9; i += 1) haos.receive("!other:haos.test", BOB, `other ${i}`);
    let room = ROOM;
    const { result, rerender } = await hook(haos, () => useTimeline(room, { limit: 2 }));
    room = "!other:haos.test";
    rerender();
    await settle();
    await act(() => result.current.older());
    assert.deepEqual(bodies(result.current.items), ["other 5", "other 6", "other 7", "other 8"]);
    assert.deepEqual(haos.watches, [`timeline ${room}`]);
  });

  test("what a component unmounts during comes to nothing", async () => {
    const haos = lobby(3);
    haos.addMedia("mxc://haos.test/1", new Blob(["x"]));
    haos.hold();
    const Page = () => (
      <p>
        {useTimeline(ROOM).items.length}
        {useComposer(ROOM).text}
        {useMembers(ROOM).members.length}
        {useMediaUrl("mxc://haos.test/1").url}
      </p>
    );
    const opened = Promise.resolve(haos);
    const { unmount } = render(
      <HaosProvider client={() => opened}>
        <Page />
      </HaosProvider>,
    );
    await settle();
    unmount();
    await settle();
    haos.release();
    await settle();
    assert.deepEqual(haos.watches, []);
    assert.equal(haos.isClosed, true);
  });

  test("a chat that opens after its provider is gone is closed", async () => {
    const haos = lobby();
    let opened!: (haos: FakeHaos) => void;
    const opening = new Promise<FakeHaos>((resolve) => (opened = resolve));
    const { unmount } = render(<HaosProvider client={() => opening} />);
    await settle();
    unmount();
    await settle();
    opened(haos);
    await settle();
    assert.equal(haos.isClosed, true);
  });

  test("an error shows, and is gone when it works again", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => useRooms().error);
    act(() => haos.fail(new HaosError({ code: "corrupt", message: "the store is damaged" })));
    assert.equal(result.current?.message, "the store is damaged");
    act(() => haos.fail());
    act(() => haos.changeRoom(ROOM, { name: "Again" }));
    assert.equal(result.current, undefined);
  });

  test("what the user did and failed shows, until it works, whatever is read meanwhile", async () => {
    const haos = lobby(30);
    const { older } = FakeTimeline.prototype;
    let isOffline = true;
    mock.method(FakeTimeline.prototype, "older", function (this: FakeTimeline, want?: number) {
      const error = new HaosError({ code: "unreachable", message: "no network" });
      return isOffline ? Promise.reject(error) : older.call(this, want);
    });
    const { result } = await hook(haos, () => {
      const { error, older } = useTimeline(ROOM, { limit: 10 });
      return { error, older };
    });
    await act(() => result.current.older());
    act(() => void haos.receive(ROOM, BOB, "hello"));
    assert.equal(result.current.error?.code, "unreachable");
    isOffline = false;
    await act(() => result.current.older());
    assert.equal(result.current.error, undefined);
  });

  test("a chat that does not open says why, and its hooks wait", async () => {
    const failing = (): Promise<FakeHaos> => Promise.reject(new Error("the database is blocked"));
    const { result } = await hook(failing, () => [useHaos().error?.message, useHaos().loading, useRooms().loading]);
    assert.deepEqual(result.current, ["the database is blocked", false, true]);
  });

  test("without a provider a hook says what is missing", () => {
    assert.throws(() => renderToString(<Rooms />), /put a <HaosProvider> around/);
  });

  test("a keystroke is there at once, and the draft a moment later", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => {
      const { text, setText } = useComposer(ROOM);
      return { text, setText };
    });
    haos.hold();
    act(() => result.current.setText("hel"));
    act(() => result.current.setText("hello"));
    assert.equal(result.current.text, "hello");
    haos.release();
    await waitFor(async () => assert.equal((await haos.draft(ROOM))?.text, "hello"));
  });

  test("a draft is kept when its component goes, and there when it comes back", async () => {
    const haos = lobby();
    const first = await hook(haos, () => {
      const { text, replyTo, setText, reply } = useComposer(ROOM);
      return { text, replyTo, setText, reply };
    });
    act(() => {
      first.result.current.setText("half a");
      first.result.current.reply("$e1");
    });
    first.unmount();
    await settle();
    const again = await hook(haos, () => {
      const { text, replyTo, loading } = useComposer(ROOM);
      return { text, replyTo, loading };
    });
    assert.deepEqual(again.result.current, { text: "half a", replyTo: "$e1", loading: false });
  });

  test("a draft is kept when its component goes together with the chat", async () => {
    const haos = lobby();
    const { result, unmount } = await hook(
      () => haos,
      () => useComposer(ROOM).setText,
    );
    const kept = mock.method(haos, "setDraft");
    act(() => result.current("half a"));
    unmount();
    await settle();
    assert.equal(haos.isClosed, true);
    assert.equal(kept.mock.callCount(), 1);
    await kept.mock.calls[0]?.result;
  });

  test("a draft is kept when the page is hidden", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => useComposer(ROOM).setText);
    act(() => result.current("about to close"));
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    document.dispatchEvent(new window.Event("visibilitychange"));
    Reflect.deleteProperty(document, "visibilityState");
    await settle();
    assert.equal((await haos.draft(ROOM))?.text, "about to close");
  });

  test("what is typed before the draft was read stays", async () => {
    const haos = lobby();
    await haos.setDraft(ROOM, { text: "old" });
    haos.hold();
    const { result } = await hook(haos, () => {
      const { text, setText } = useComposer(ROOM);
      return { text, setText };
    });
    act(() => result.current.setText("new"));
    await act(async () => haos.release());
    await settle();
    assert.equal(result.current.text, "new");
  });

  test("what is sent is cleared, with its draft, once it is safe", async () => {
    const haos = lobby(1);
    const { result } = await hook(haos, () => {
      const { text, replyTo, setText, reply, send } = useComposer(ROOM);
      return { text, replyTo, setText, reply, send };
    });
    act(() => result.current.setText("   "));
    assert.equal(await result.current.send(), false);
    act(() => {
      result.current.setText("hello");
      result.current.reply("$e1");
    });
    await haos.setDraft(ROOM, { text: "hello" });
    haos.hold();
    let sent: Promise<boolean> | undefined;
    act(() => void (sent = result.current.send()));
    assert.deepEqual([result.current.text, result.current.replyTo], ["", undefined]);
    act(() => result.current.setText("next"));
    await act(async () => haos.release());
    assert.equal(await sent, true);
    const item = haos.items(ROOM).at(-1);
    assert.deepEqual(item?.type === "event" && [item.content.type, item.reply?.eventId], ["text", "$e1"]);
    await settle();
    assert.equal((await haos.draft(ROOM))?.text, "next");
    act(() => result.current.setText(""));
    await waitFor(async () => assert.equal(await haos.draft(ROOM), null));
  });

  test("what cannot be sent is there again, with the reason", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => {
      const { text, error, setText, send } = useComposer(ROOM);
      return { text, error, setText, send };
    });
    act(() => result.current.setText("hello"));
    const full = mock.method(haos, "send", () => Promise.reject(new HaosError({ code: "full", message: "no space" })));
    assert.equal(await act(() => result.current.send()), false);
    await settle();
    assert.deepEqual([result.current.text, result.current.error?.code], ["hello", "full"]);
    full.mock.restore();
    assert.equal(await act(() => result.current.send()), true);
    assert.deepEqual([result.current.text, result.current.error], ["", undefined]);
    assert.deepEqual(bodies(haos.items(ROOM)), ["hello"]);
  });

  test("a message is edited in the composer, which all components of the room share", async () => {
    const haos = lobby();
    const eventId = haos.receive(ROOM, "@ada:haos.test", "helo");
    const list = await hook(haos, () => useComposer(ROOM).edit);
    const box = await hook(haos, () => {
      const { text, editOf, send, setText } = useComposer(ROOM);
      return { text, editOf, send, setText };
    });
    act(() => list.result.current(eventId, "helo"));
    assert.deepEqual([box.result.current.text, box.result.current.editOf], ["helo", eventId]);
    act(() => box.result.current.setText("hello"));
    await act(() => box.result.current.send());
    assert.deepEqual(bodies(haos.items(ROOM)), ["hello"]);
    assert.equal(box.result.current.editOf, undefined);
  });

  test("what is unsent is in the outbox, until there is a network", async () => {
    const haos = lobby();
    haos.setConnection({ state: "offline" });
    const { result } = await hook(haos, () => ({
      outbox: useOutbox().rows,
      cancel: useOutbox().cancel,
      connection: useConnection(),
    }));
    await act(() => haos.send(ROOM, "one"));
    await act(() => haos.send(ROOM, "two"));
    const [one] = result.current.outbox;
    assert.deepEqual(
      [one?.text, result.current.connection?.unsent, result.current.connection?.state],
      ["one", 2, "offline"],
    );
    await act(() => result.current.cancel(one?.txnId ?? ""));
    act(() => haos.setConnection({ state: "live" }));
    assert.deepEqual([result.current.outbox, result.current.connection?.isSettled], [[], true]);
    assert.deepEqual(bodies(haos.items(ROOM)), ["two"]);
  });

  test("typing, members, storage and the first sync are told", async () => {
    const haos = lobby();
    const { result } = await hook(haos, () => ({
      typing: useTyping(ROOM).users,
      members: useMembers(ROOM).members.length,
      reload: useMembers(ROOM).reload,
      storage: useStorage()?.level,
      progress: useSyncProgress(),
    }));
    const { reload: _, ...before } = result.current;
    assert.deepEqual(before, { typing: [], members: 2, storage: "ok", progress: null });
    act(() => {
      haos.types(ROOM, [BOB]);
      haos.setStorage({ level: "high" });
      haos.setSyncProgress({ done: 3, total: 10 });
    });
    await haos.invite(ROOM, "@carl:haos.test");
    await act(() => result.current.reload());
    const { reload: __, ...after } = result.current;
    assert.deepEqual(after, { typing: [BOB], members: 3, storage: "high", progress: { done: 3, total: 10 } });
  });

  test("a file is followed on its way", async () => {
    const haos = lobby();
    haos.setConnection({ state: "offline" });
    let txnId: string | undefined;
    const { result, rerender } = await hook(haos, () => {
      const { sendFile } = useComposer(ROOM);
      const { progress, loading } = useUpload(txnId);
      return { sendFile, progress, loading };
    });
    assert.deepEqual([result.current.loading, result.current.progress], [false, undefined]);
    const upload = await act(() => result.current.sendFile(new Blob(["12345"]), { name: "a.txt" }));
    txnId = upload?.txnId;
    rerender();
    await settle();
    assert.deepEqual([result.current.progress?.sentBytes, result.current.progress?.totalBytes], [0, 5]);
    act(() => haos.setConnection({ state: "live" }));
    assert.deepEqual([result.current.progress?.sentBytes, result.current.progress?.status], [5, "sent"]);
  });

  test("an address of a media item is shared, and given back after the last use", async () => {
    const haos = lobby();
    haos.addMedia("mxc://haos.test/1", new Blob(["x"]));
    const read = mock.method(haos, "media");
    const one = await hook(haos, () => useMediaUrl("mxc://haos.test/1").url);
    const two = await hook(haos, () => useMediaUrl("mxc://haos.test/1").url);
    const none = await hook(haos, () => useMediaUrl(null));
    const missing = await hook(haos, () => {
      const { error, url, reload } = useMediaUrl("mxc://haos.test/2");
      return { code: error?.code, url, reload };
    });
    assert.ok(one.result.current?.startsWith("blob:"));
    assert.equal(one.result.current, two.result.current);
    assert.deepEqual([none.result.current.url, none.result.current.loading], [undefined, false]);
    assert.equal(missing.result.current.code, "not_found");
    haos.addMedia("mxc://haos.test/2", new Blob(["y"]));
    await act(() => missing.result.current.reload());
    assert.equal(missing.result.current.code, undefined);
    assert.ok(missing.result.current.url?.startsWith("blob:"));
    missing.unmount();
    assert.equal(read.mock.calls.filter(({ arguments: [uri] }) => uri.endsWith("/1")).length, 1);
    one.unmount();
    await settle();
    assert.equal(urls.size, 1);
    two.unmount();
    await settle();
    assert.equal(urls.size, 0);
  });

  test("a server renders what is empty, and the page takes over from there", async () => {
    const haos = lobby();
    const app = (
      <HaosProvider client={haos}>
        <Rooms />
      </HaosProvider>
    );
    const html = renderToString(app);
    assert.equal(html, "<p>wait</p>");
    assert.deepEqual(haos.watches, []);
    const container = document.body.appendChild(document.createElement("div"));
    container.innerHTML = html;
    render(app, { container, hydrate: true });
    await settle();
    assert.equal(container.textContent, "Lobby");
  });

  test("components never see two states at once", async () => {
    const haos = lobby();
    const seen: string[] = [];
    const Pair = () => {
      const [a, b] = [useTimeline(ROOM).items.length, useRooms().rooms[0]?.unread ?? 0];
      seen.push(`${a} ${b}`);
      return <Other count={a} />;
    };
    const Other = ({ count }: { count: number }) => {
      assert.equal(useTimeline(ROOM).items.length, count);
      return null;
    };
    render(
      <HaosProvider client={haos}>
        <Pair />
      </HaosProvider>,
    );
    await settle();
    act(() => {
      haos.receive(ROOM, BOB, "one");
      haos.receive(ROOM, BOB, "two");
    });
    assert.equal(seen.at(-1), "2 2");
    assert.ok(!seen.includes("1 1"), "changes of one turn are one rendering");
  });
});

function Rooms(): ReactNode {
  const { rooms, loading } = useRooms();
  return <p>{loading ? "wait" : rooms.map(({ name }) => name).join()}</p>;
}
