// The store of matrix-js-sdk beside the SDK's own, and under a client. The SDK is that of the bundle.

import { HaosStore } from "@haos/matrix-js-sdk-store";
import { open } from "@haos/web";
import * as sdk from "matrix-js-sdk";

import { equal, ok, suite, until } from "/test/suite.mjs";

const { IndexedDBStore, User } = sdk;
const { test, run: all } = suite();
/** Version 32 lacks what came later. */
const isLater = "removeEventsFromRoom" in sdk.MemoryStore.prototype;
const AFTER = "org.matrix.msc4222.state_after";

let matrix;
let control;
let captured;

export async function run(matrixUrl, controlUrl, capturedUrl, seeds) {
  [matrix, control, captured] = [matrixUrl, controlUrl, capturedUrl];
  for (let seed = 1; seed <= seeds; seed += 1) {
    test(`the same calls have the same answers, seed ${seed}`, () => sameAnswers(seed));
  }
  return all();
}

const tell = async (...told) => {
  const response = await fetch(control, { method: "POST", body: JSON.stringify(told) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
};

/** Numbers by chance, the same ones for a seed (mulberry32). */
function chance(seed) {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (end) => Math.floor(next() * end);
  return { below, is: (share) => next() < share, of: (list) => list[below(list.length)] };
}

/** A `Storage` of its own. */
function storage() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, String(value)),
    removeItem: (key) => void items.delete(key),
  };
}

/** Both stores, on databases of their own. */
class Pair {
  #name = `pair-${crypto.randomUUID()}`;
  #localStorage = storage();

  constructor(options = {}) {
    this.options = { timelineLimit: Infinity, ...options };
  }

  async open() {
    this.theirs = new IndexedDBStore({ indexedDB, dbName: this.#name, localStorage: this.#localStorage });
    this.ours = new HaosStore({ name: this.#name, ...this.options });
    this.degraded = [];
    for (const store of [this.theirs, this.ours]) {
      store.on("degraded", (error) => this.degraded.push(error));
      store.setUserCreator((id) => new User(id));
      await store.startup();
    }
  }

  /** Does the same to both. */
  async both(act) {
    return [await act(this.ours), await act(this.theirs)];
  }

  async close() {
    await this.both((store) => store.destroy());
    this.check();
  }

  /** Fails if one of them keeps nothing any more. */
  check() {
    if (this.degraded.length > 0) throw this.degraded[0];
  }

  /** Compares one answer. */
  async same(what, act) {
    const [ours, theirs] = await this.both(act);
    equal(sorted(ours ?? null), sorted(theirs ?? null), what);
  }
}

/** The same value with its members in order. */
function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}

const byKey = (key) => (list) => [...list].sort((a, b) => (key(a) < key(b) ? -1 : 1));
const stateKey = ({ type, state_key: key }) => `${type}\n${key}`;
const byState = byKey(stateKey);
const byType = byKey(({ type }) => type);

/** Compares lists, one after the other, so that what differs is what is told. */
function sameList(ours, theirs, what) {
  for (const [n, one] of ours.entries()) equal(sorted(one), sorted(theirs[n] ?? null), `${what}, ${n}`);
  equal(ours.length, theirs.length, what);
}

/** The state that events leave. */
function folded(events) {
  const state = new Map();
  for (const event of events)
    if (event.state_key !== undefined && event.state_key !== null) state.set(stateKey(event), event);
  return byState([...state.values()]);
}

/** An event without its age, which has moved on between the two answers. Version 32 lets a mark of its own out. */
const ageless = ({ unsigned: { age: _, ...unsigned } = {}, _localTs, ...event }) => ({ ...event, unsigned });
/** What a state event says. Version 32 has the end of a timeline only by what its events did, whatever came again since. */
const said = (event) => ageless(isLater ? event : { ...event, unsigned: {} });

/**
 * Compares saved syncs. A timeline is cut where the server gave a token: theirs to 50 events or fewer, down to one; ours to
 * 50 or more. Its end is the same.
 */
function compare(ours, theirs) {
  ok((ours === null) === (theirs === null), "both have a saved sync, or none");
  if (ours === null) return;
  equal(ours.nextBatch, theirs.nextBatch);
  equal(sorted(byType(ours.accountData)), sorted(byType(theirs.accountData)));
  for (const part of ["invite", "knock", "leave"])
    equal(sorted(ours.roomsData[part]), sorted(theirs.roomsData[part]), part);
  equal(Object.keys(ours.roomsData.join).sort(), Object.keys(theirs.roomsData.join).sort());
  for (const [id, room] of Object.entries(ours.roomsData.join)) {
    const other = theirs.roomsData.join[id];
    for (const part of [
      "ephemeral",
      "summary",
      "unread_notifications",
      "unread_thread_notifications",
      "msc4354_sticky",
    ]) {
      equal(sorted(room[part] ?? null), sorted(other[part] ?? null), `${id} ${part}`);
    }
    equal(sorted(byType(room.account_data.events)), sorted(byType(other.account_data.events)), id);
    const after = other[AFTER]?.events ?? folded([...other.state.events, ...other.timeline.events]);
    sameList(byState(room[AFTER].events).map(said), byState(after).map(said), `${id} state after`);
    const [mine, its] = [room.timeline.events.map(ageless), other.timeline.events.map(ageless)];
    const shared = Math.min(mine.length, its.length);
    sameList(mine.slice(mine.length - shared), its.slice(its.length - shared), `${id} timeline`);
    if (mine.length === its.length) {
      equal(room.timeline.prev_batch, other.timeline.prev_batch, `${id} prev_batch`);
      sameList(byState(room.state.events).map(ageless), byState(other.state.events).map(ageless), `${id} state`);
    } else {
      ok(mine.length >= Math.min(50, its.length), `${id}: ${mine.length} beside ${its.length}`);
      ok(typeof room.timeline.prev_batch === "string", `${id} begins at a token`);
    }
  }
}

/** Syncs by chance. */
class Syncs {
  #serial = 0;
  #joined = new Set();

  constructor(random) {
    this.random = random;
  }

  next() {
    const { is, of, below } = this.random;
    const rooms = { join: {}, invite: {}, leave: {}, ...(isLater ? { knock: {} } : {}) };
    for (let n = below(4); n >= 0; n -= 1) {
      const id = `!r${below(6)}:x`;
      // Who is in a room is not invited to it.
      const part = is(0.75) ? "join" : of(this.#joined.has(id) ? ["leave"] : Object.keys(rooms));
      if (Object.values(rooms).some((part) => id in part)) continue;
      if (part === "join") rooms.join[id] = this.#room(id);
      else if (part === "invite") rooms.invite[id] = { invite_state: { events: this.#stripped() } };
      else if (part === "knock") rooms.knock[id] = { knock_state: { events: this.#stripped() } };
      else rooms.leave[id] = { timeline: { events: [] } };
      if (part === "leave") this.#joined.delete(id);
    }
    const data = is(0.3) ? [{ type: `m.data.${below(5)}`, content: { value: this.#id() } }] : [];
    return { next_batch: `s${this.#id()}`, rooms: is(0.1) ? undefined : rooms, account_data: { events: data } };
  }

  #id() {
    return (this.#serial += 1);
  }

  #stripped() {
    const { below } = this.random;
    const from = below(4);
    return Array.from({ length: 1 + below(3) }, (_, n) => this.#event(`m.stripped.${(from + n) % 4}`, `${below(2)}`));
  }

  #event(type, key) {
    const { is } = this.random;
    return {
      type,
      event_id: `$${this.#id()}`,
      sender: "@u:x",
      origin_server_ts: 1e12 + this.#id(),
      // As bad as text can be.
      content: { body: is(0.1) ? "\u2028 \ud800 \0 \\" : "text", value: this.#id() },
      ...(key === undefined ? {} : { state_key: key }),
      ...(is(0.5)
        ? { unsigned: { age: 1000, ...(is(0.3) ? { prev_content: { value: 0 }, prev_sender: "@p:x" } : {}) } }
        : {}),
    };
  }

  #room(id) {
    const { is, below, of } = this.random;
    const isNew = !this.#joined.has(id);
    this.#joined.add(id);
    const limited = isNew || is(0.1);
    const count = is(0.1) ? below(90) : below(12);
    const timeline = Array.from({ length: count }, () =>
      is(0.15) ? this.#event(`m.state.${below(4)}`, of(["", "a", "7", "__proto__"])) : this.#event("m.room.message"),
    );
    // Members that come beside a timeline are nobody who is in it.
    const state = limited
      ? Array.from({ length: below(80) }, () => this.#event(`m.state.${below(4)}`, of(["", "a", "b", "7"])))
      : Array.from({ length: below(3) }, () => this.#event("m.room.member", `@lazy${below(60)}:x`));
    const usesAfter = isLater && is(0.3);
    const receipts = () => ({
      type: "m.receipt",
      content: {
        [`$${below(100)}`]: {
          // Version 32 has one receipt a user, of whatever type.
          [of(["m.read", "other", ...(isLater ? ["m.read.private"] : [])])]: {
            [`@u${below(5)}:x`]: { ts: this.#id(), ...(is(0.4) ? { thread_id: of(["main", "$root"]) } : {}) },
          },
        },
      },
    });
    return {
      ...(usesAfter
        ? { [AFTER]: { events: [...state, ...timeline.filter((event) => "state_key" in event)] } }
        : { state: { events: state } }),
      timeline: {
        events: timeline,
        ...(limited ? { limited: true } : {}),
        ...(limited || is(0.7) ? { prev_batch: `t${this.#id()}` } : {}),
      },
      ephemeral: {
        events: [...(is(0.4) ? [receipts()] : []), ...(is(0.2) ? [{ type: "m.typing", content: {} }] : [])],
      },
      account_data: { events: is(0.3) ? [{ type: `m.tag.${below(3)}`, content: { value: this.#id() } }] : [] },
      ...(is(0.4) ? { summary: is(0.5) ? { "m.heroes": ["@a:x"] } : { "m.joined_member_count": below(9) } } : {}),
      ...(is(0.5) ? { unread_notifications: { notification_count: below(9) } } : {}),
      ...(is(0.3) ? { unread_thread_notifications: { $root: { highlight_count: below(3) } } } : {}),
      ...(isLater && is(0.2)
        ? {
            msc4354_sticky: {
              events: [
                {
                  ...this.#event("m.sticky"),
                  origin_server_ts: Date.now(),
                  msc4354_sticky: { duration_ms: of([1, 9e6]) },
                },
              ],
            },
          }
        : {}),
    };
  }
}

const member = (room, user, value) => ({
  type: "m.room.member",
  room_id: room,
  state_key: user,
  sender: user,
  event_id: `$${user}${value}`,
  content: { membership: "join", value },
});

/** What is done to both, by name; each ends with what is compared. */
const acts = {
  async sync(pair, { syncs }) {
    const sync = syncs.next();
    // Each has one of its own to keep.
    await pair.both((store) => store.setSyncData(JSON.parse(JSON.stringify(sync))));
    const [ours, theirs] = await pair.both((store) => store.getSavedSync());
    compare(ours, theirs);
    await pair.same("token", (store) => store.getSavedSyncToken());
  },
  save: (pair) => pair.both((store) => store.save(true)),
  async presence(pair, { below }) {
    const [id, value] = [`@p${below(4)}:x`, below(1000)];
    await pair.both((store) => {
      const user = store.getUser(id) ?? new User(id);
      const content = { presence: "online", status_msg: `${value}`, last_active_ago: 5 };
      user.setPresenceEvent(new sdk.MatrixEvent({ type: "m.presence", sender: id, content }));
      // A clock that has not moved must not look like nothing new.
      user.modified += value + 1;
      store.storeUser(user);
    });
    await pair.same("users", usersOf);
  },
  async members(pair, { below, is }) {
    const room = `!r${below(3)}:x`;
    const events = Array.from({ length: below(4) }, () => member(room, `@m${below(6)}:x`, below(100)));
    const byUser = [...new Map(events.map((event) => [event.state_key, event])).values()];
    if (is(0.7)) await pair.both((store) => store.setOutOfBandMembers(room, byUser));
    // Theirs fails to clear those of a room that has none.
    else if ((await pair.theirs.getOutOfBandMembers(room))?.length) {
      await pair.both((store) => store.clearOutOfBandMembers(room));
    }
    await pair.same("members", async (store) => {
      const found = await store.getOutOfBandMembers(room);
      return found && byKey(({ state_key: key }) => key)(found);
    });
  },
  async options(pair, { below }) {
    const options = { lazyLoadMembers: below(2) === 1, value: below(9) };
    await pair.both((store) => store.storeClientOptions(options));
    await pair.same("options", (store) => store.getClientOptions());
  },
  async pending(pair, { below, is }) {
    const room = `!r${below(3)}:x`;
    const event = (n) => ({
      type: is(0.8) ? "m.room.message" : "m.room.redaction",
      room_id: room,
      sender: "@u:x",
      event_id: `~${room}:m${n}`,
      origin_server_ts: 1e12 + n,
      content: { body: `pending ${n}` },
      ...(is(0.3) ? { redacts: `$${n}` } : {}),
      // The SDK's own are unique; one without is kept as well.
      ...(is(0.9) ? { txn_id: `m${n}.${room}.${below(1e9)}` } : {}),
    });
    const events = Array.from({ length: below(4) }, (_, n) => event(n));
    await pair.both((store) => store.setPendingEvents(room, JSON.parse(JSON.stringify(events))));
    await pair.same("pending", (store) => store.getPendingEvents(room));
    await pair.same("pending elsewhere", (store) => store.getPendingEvents("!r0:x"));
  },
  async toDevice(pair, { below, is }) {
    const batch = (n) => ({
      eventType: "m.x",
      txnId: `t${n}`,
      batch: [{ userId: "@u:x", deviceId: "D", payload: { n } }],
    });
    const batches = [batch(below(99)), batch(below(99))].slice(below(2));
    if (is(0.6)) await pair.both((store) => store.saveToDeviceBatches(batches));
    else await pair.both(async (store) => store.removeToDeviceBatch((await store.getOldestToDeviceBatch())?.id ?? 0));
    const content = async (store) => {
      const { id: _, ...rest } = (await store.getOldestToDeviceBatch()) ?? {};
      return rest;
    };
    await pair.same("to-device", content);
  },
  async filters(pair, { below, is }) {
    const name = `FILTER_${below(3)}`;
    const id = is(0.8) ? `${below(9)}` : undefined;
    await pair.both((store) => store.setFilterIdByName(name, id));
    await pair.same("filter", (store) => store.getFilterIdByName(name));
  },
  async profiles(pair, { below, is }) {
    if (!isLater) return;
    const id = `@p${below(3)}:x`;
    const [remove, profile] = [is(0.3), { displayname: `${below(9)}` }];
    await pair.both((store) =>
      remove ? store.removeUserProfiles([id]) : store.storeUserProfiles(new Map([[id, profile]])),
    );
    await pair.same("profile", (store) => store.getUserProfile(id));
  },
  async restart(pair) {
    await pair.both((store) => store.save(true));
    await pair.close();
    await pair.open();
    compare(...(await pair.both((store) => store.getSavedSync())));
    await pair.same("is new", (store) => store.isNewlyCreated());
    await pair.same("users", usersOf);
  },
  async remove(pair) {
    await pair.both((store) => store.deleteAllData());
    // Theirs is closed by that.
    await pair.close();
    await pair.open();
    await pair.same("nothing is left", (store) => store.getSavedSync());
    await pair.same("is new", (store) => store.isNewlyCreated());
    await pair.same("options", (store) => store.getClientOptions());
    await pair.same("members", (store) => store.getOutOfBandMembers("!r0:x"));
  },
};

const usersOf = (store) => byKey(([id]) => id)(store.getUsers().map((user) => [user.userId, user.presenceStatusMsg]));

const WEIGHTS = {
  sync: 30,
  save: 6,
  presence: 4,
  members: 5,
  options: 2,
  pending: 5,
  toDevice: 5,
  filters: 3,
  profiles: 4,
  restart: 3,
};

/** Makes the same calls by chance of our store and of the SDK's. */
async function sameAnswers(seed) {
  const random = chance(seed);
  const context = { ...random, syncs: new Syncs(random) };
  const bag = Object.entries(WEIGHTS).flatMap(([name, weight]) => Array(weight).fill(name));
  const pair = new Pair();
  await pair.open();
  await pair.same("is new", (store) => store.isNewlyCreated());
  compare(...(await pair.both((store) => store.getSavedSync())));
  const done = [];
  for (let step = 0; step < 150; step += 1) {
    const name = step % 70 === 69 ? "remove" : random.of(bag);
    done.push(name);
    await acts[name](pair, context)
      .then(() => pair.check())
      .catch((error) => {
        throw new Error(`step ${step}, after ${done.slice(-6).join(", ")}: ${error.message}`, { cause: error });
      });
  }
  await pair.close();
}

test("captured syncs of a busy account leave the same", async () => {
  const lines = (await (await fetch(captured)).text()).trim().split("\n");
  const pair = new Pair();
  await pair.open();
  for (const [n, line] of lines.entries()) {
    const { response } = JSON.parse(line);
    await pair.both((store) => store.setSyncData(JSON.parse(JSON.stringify(response))));
    if (n % 50 === 49) compare(...(await pair.both((store) => store.getSavedSync())));
    if (n % 10 === 9) await pair.ours.save();
    if (n % 125 === 124) await acts.restart(pair);
  }
  await pair.close();
});

test("a page that ends between two saves has the last one whole", async () => {
  const name = `ends-${crypto.randomUUID()}`;
  const syncs = new Syncs(chance(7));
  const first = new HaosStore({ name, timelineLimit: Infinity });
  await first.startup();
  await first.setSyncData(syncs.next());
  ok(first.wantsSave());
  await first.save();
  ok(!first.wantsSave());
  const kept = sorted(await first.getSavedSync());
  await first.setSyncData(syncs.next());
  // What was taken and not saved is not there; the other one has the right to keep, so this one does not wait for it.
  const second = new HaosStore({ name, timelineLimit: Infinity });
  await second.startup();
  const ageless = (text) => JSON.stringify(text).replace(/"age":\d+/g, "");
  equal(ageless(sorted(await second.getSavedSync())), ageless(kept));
  await second.setSyncData(syncs.next());
  ok(!second.wantsSave(), "one tab keeps");
  await second.destroy();
  await first.destroy();
});

const ROOM = "!lobby:haos.test";

/** A client over a store, until it has synced or shows what the store has. */
async function started(name, { token, store: options = {}, ...more }) {
  const store = new HaosStore({ name, ...options });
  const client = sdk.createClient({
    baseUrl: matrix,
    userId: "@ada:haos.test",
    deviceId: "D",
    accessToken: token,
    store,
    ...more,
  });
  client.setMaxListeners?.(50);
  await store.startup();
  const synced = new Promise((done) =>
    client.on("sync", (state, _, data) => (state === "PREPARED" ? done(data) : undefined)),
  );
  await client.startClient({ initialSyncLimit: 100, pendingEventOrdering: "detached" });
  const { fromCache = false } = (await synced) ?? {};
  return { client, store, fromCache };
}

async function ended({ client, store }) {
  client.stopClient();
  await store.destroy();
}

async function loggedIn() {
  const identifier = { type: "m.id.user", user: "ada" };
  const body = JSON.stringify({ type: "m.login.password", identifier, password: "any" });
  const response = await fetch(`${matrix}/_matrix/client/v3/login`, { method: "POST", body });
  return (await response.json()).access_token;
}

const bodies = (room) =>
  room
    .getLiveTimeline()
    .getEvents()
    .flatMap((event) => (event.getType() === "m.room.message" ? [event.getContent().body] : []));

test("a client syncs, is started again offline, and sends what it wrote there", async () => {
  const [name, room] = [`client-${crypto.randomUUID()}`, `!${crypto.randomUUID().slice(0, 8)}:haos.test`];
  await tell("room", room, { name: "Lobby", members: ["ada", "bob"] });
  for (let n = 0; n < 70; n += 1) await tell("say", room, "bob", `message ${n}`);
  const token = await loggedIn();
  const first = await started(name, { token });
  equal(first.fromCache, false);
  equal(first.client.getRoom(room).name, "Lobby");
  await tell("say", room, "bob", "later");
  await until("it comes", () => bodies(first.client.getRoom(room)).includes("later"));
  const all = bodies(first.client.getRoom(room));
  equal(all.length, 71);
  await first.client.setAccountData?.("m.test", { value: 1 });
  await until("account data comes", () => first.client.getAccountData("m.test")?.getContent().value === 1);
  // Version 43 gives a sync to its store once it was processed.
  await until("it is kept", async () => (await first.store.getSavedSync()).accountData.length > 0);
  await until("all is kept", () => !first.store.wantsSave());
  await ended(first);

  await tell("network.offline");
  try {
    const second = await started(name, { token });
    equal(second.fromCache, true);
    const lobby = second.client.getRoom(room);
    equal([lobby.name, lobby.getJoinedMemberCount()], ["Lobby", 2]);
    equal(bodies(lobby), all.slice(-20), "the newest are there at once");
    equal(second.client.getAccountData("m.test").getContent(), { value: 1 });
    await second.store.whenFilled();
    equal(bodies(lobby), all, "the others follow");
    ok(typeof lobby.getLiveTimeline().getPaginationToken("b") === "string", "it can be paged back from there");
    await second.client.sendTextMessage(room, "written offline").catch(() => {});
    equal(
      lobby.getPendingEvents().map((event) => event.getContent().body),
      ["written offline"],
    );
    await ended(second);

    const third = await started(name, { token });
    const pending = () => third.client.getRoom(room).getPendingEvents();
    await until("it is pending", () => pending().length === 1);
    equal([pending()[0].status, pending()[0].getContent().body], ["not_sent", "written offline"]);
    await tell("network.online");
    third.client.retryImmediately();
    await third.client.resendEvent(pending()[0], third.client.getRoom(room));
    await until("it is sent", () => pending().length === 0);
    await until("its echo came", () => bodies(third.client.getRoom(room)).at(-1) === "written offline");
    equal((await tell("bodies", room)).slice(-1), ["written offline"]);
    equal((await tell("bodies", room)).filter((body) => body === "written offline").length, 1);
    await until("the store knows", async () => (await third.store.getPendingEvents(room)).length === 0);
    await ended(third);
  } finally {
    await tell("network.online");
  }
});

test("a sync with a gap while older events follow leaves them out", async () => {
  const [name, room] = [`gap-${crypto.randomUUID()}`, `!${crypto.randomUUID().slice(0, 8)}:haos.test`];
  await tell("room", room, { members: ["ada", "bob"] });
  for (let n = 0; n < 45; n += 1) await tell("say", room, "bob", `old ${n}`);
  const token = await loggedIn();
  await ended(await started(name, { token }));
  for (let n = 0; n < 120; n += 1) await tell("say", room, "bob", `new ${n}`);
  const second = await started(name, { token });
  const lobby = second.client.getRoom(room);
  await until("the new ones came", () => bodies(lobby).includes("new 119"), 20_000);
  await second.store.whenFilled();
  ok(
    bodies(lobby).every((body) => body.startsWith("new")),
    "old ones stand behind the gap",
  );
  ok(typeof lobby.getLiveTimeline().getPaginationToken("b") === "string");
  await second.client.scrollback(lobby, 500);
  equal(bodies(lobby), await tell("bodies", room));
  await ended(second);
});

test("pending events of the SDK's own store are taken over, and the outbox has them", async () => {
  const [room, localStorage] = ["!there:x", storage()];
  const event = {
    type: "m.room.message",
    content: { body: "mine" },
    txn_id: "m1.1",
    event_id: "~!there:x:m1.1",
    sender: "@u:x",
  };
  localStorage.setItem(`mx_pending_events_${room}`, JSON.stringify([event]));
  const name = `over-${crypto.randomUUID()}`;
  const first = new HaosStore({ name, localStorage });
  await first.startup();
  equal(sorted(await first.getPendingEvents(room)), sorted([event]));
  equal(localStorage.getItem(`mx_pending_events_${room}`), null);
  await first.deleteAllData();
  equal(sorted(await first.getPendingEvents(room)), sorted([event]), "what is unsent stays");
  await first.destroy();
  const chat = await open({ name, held: true });
  const [row] = await chat.outbox().ready;
  equal([row.txnId, row.room], ["m1.1", room]);
  await chat.cancel("m1.1");
  await chat.close();
  const second = new HaosStore({ name, localStorage });
  await second.startup();
  equal(await second.getPendingEvents(room), [], "what was given up there is pending no more");
  await second.destroy();
});

test("the sync of the SDK's own store moves by one call", async () => {
  const pair = new Pair();
  await pair.open();
  const syncs = new Syncs(chance(9));
  for (let n = 0; n < 20; n += 1) await pair.theirs.setSyncData(syncs.next());
  const { nextBatch, roomsData: rooms, accountData: events } = await pair.theirs.getSavedSync();
  await pair.ours.setSyncData({ next_batch: nextBatch, rooms, account_data: { events } });
  compare(...(await pair.both((store) => store.getSavedSync())));
  await acts.restart(pair);
  await pair.close();
});

test("events that the SDK removes are not in the next start", async () => {
  const name = `removed-${crypto.randomUUID()}`;
  const first = new HaosStore({ name, timelineLimit: 5 });
  await first.startup();
  const events = Array.from({ length: 40 }, (_, n) => ({
    type: "m.room.message",
    event_id: `$${n}`,
    content: { body: `${n}` },
  }));
  const timeline = { events, limited: true, prev_batch: "t0" };
  await first.setSyncData({ next_batch: "s1", rooms: { join: { [ROOM]: { timeline } } } });
  await first.save();
  await first.removeEventsFromRoom(ROOM, ["$0", "$20", "$38"]);
  await first.destroy();
  const second = new HaosStore({ name, timelineLimit: Infinity });
  await second.startup();
  const { roomsData } = await second.getSavedSync();
  const left = roomsData.join[ROOM].timeline.events.map(({ event_id: id }) => Number(id.slice(1)));
  equal([left.includes(38), left.at(-1)], [false, 39]);
  await second.destroy();
});

test("what cannot be kept is told, and goes on in memory", async () => {
  const name = `failing-${crypto.randomUUID()}`;
  const chat = await open({ name, held: true });
  let isFull = false;
  const keep = (what) => (isFull ? Promise.reject(new Error("full")) : chat.keep(what));
  const failing = { kept: (...of) => chat.kept(...of), heldBack: (room) => chat.heldBack(room), keep };
  const store = new HaosStore({ name, chat: failing });
  await store.startup();
  const told = [];
  store.on("degraded", (error) => told.push(error.message));
  const syncs = new Syncs(chance(8));
  await store.setSyncData(syncs.next());
  await store.save();
  isFull = true;
  await store.setSyncData(syncs.next());
  await store.save();
  await store.storeClientOptions({ lazyLoadMembers: true });
  equal(told, ["full"], "once");
  ok(store.wantsSave(), "it tries again");
  equal(await store.getClientOptions(), { lazyLoadMembers: true });
  isFull = false;
  await store.save();
  ok(!store.wantsSave());
  const now = sorted(await store.getSavedSync());
  await store.destroy();
  await chat.close();
  const again = new HaosStore({ name });
  await again.startup();
  equal(
    JSON.stringify(sorted(await again.getSavedSync())).replace(/"age":\d+/g, ""),
    JSON.stringify(now).replace(/"age":\d+/g, ""),
  );
  await again.destroy();
});
