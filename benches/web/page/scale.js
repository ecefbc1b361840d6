// Single calls on a small database and on a large one, in turns. Both were filled by pages that are gone, so that what
// the module's memory shows is what it takes to use them.

import { Feed, ROOMS, eventId, noise, roomId } from "./data.js";
import { fill, load, remove, rest, timed } from "./stores.js";
import { PAGE } from "./works.js";

const KINDS = ["newest_50", "older_50", "get", "commit_of_5"];
const CALLS = 200;
/** So many in a row of each database. */
const BLOCK = 20;

const databaseOf = (contender, messages) => `scale-${contender}-${messages}`;

/** Fills a database. */
export async function prepare(contender, messages) {
  const store = await fill(contender, databaseOf(contender, messages), messages, new Feed());
  // What it does behind the commits is done.
  await store.fold?.();
  await store.close();
}

/** Removes it. */
export async function discard(contender, messages) {
  await remove(contender, databaseOf(contender, messages));
}

/** A database that is there, and what each kind of call is made on. */
class Sized {
  times = Object.fromEntries(KINDS.map((kind) => [kind, []]));
  pages = [];

  constructor(store, messages, feed) {
    this.store = store;
    this.feed = feed;
    this.messages = messages;
  }

  static async open(contender, messages, feed = new Feed(messages)) {
    const { open } = await load(contender);
    return new Sized(await open(databaseOf(contender, messages)), messages, feed);
  }

  /** Call number `i` of a kind. */
  async call(kind, i) {
    const [ms] = await this[kind](i);
    this.times[kind].push(ms);
  }

  newest_50(i) {
    return timed(() => this.store.newest(roomId(i % ROOMS), PAGE));
  }

  /** Pages of a room one after the other, then those of the next. */
  async older_50(i) {
    const room = roomId(Math.floor(i / BLOCK) % ROOMS);
    if (i % BLOCK === 0) this.page = await this.store.newest(room, PAGE);
    // The small database has fewer pages than a block takes: those of its last one are read again.
    const [ms, page] = await timed(() => this.store.older(room, this.page, PAGE));
    if (page.length === PAGE) this.page = page;
    return [ms];
  }

  async get(i) {
    const number = noise(i + 0x50000000) % this.messages;
    const [ms, found] = await timed(() => this.store.message(roomId(number % ROOMS), eventId(number)));
    if (found.eventId !== eventId(number)) throw new Error(`it found ${found.eventId}`);
    return [ms];
  }

  commit_of_5() {
    const [batch] = this.feed.commits(1, 5, 5);
    const prepared = this.store.prepare(batch);
    return timed(() => this.store.commit(prepared));
  }
}

/** Each kind of call so often, at each of the sizes: medians. */
export async function scale(contender, sizes) {
  const sized = [];
  for (const messages of sizes) sized.push(await Sized.open(contender, messages));
  await rest(500);
  for (const kind of KINDS) {
    for (let from = 0; from < CALLS; from += BLOCK) {
      for (const one of sized) for (let i = from; i < from + BLOCK; i += 1) await one.call(kind, i);
    }
  }
  const median = (times) => times.sort((one, other) => one - other)[times.length >> 1];
  const seen = sized.map(({ messages, times }) => ({
    messages,
    ...Object.fromEntries(Object.entries(times).map(([kind, times]) => [kind, median(times)])),
  }));
  for (const { store } of sized) await store.close();
  return seen;
}

/** The bytes by which the module's memory grew while one database was used so; null for those without a module. */
export async function memory(contender, messages) {
  const { grown } = await load(contender);
  if (!grown) return null;
  // Behind all that was committed there before.
  const one = await Sized.open(contender, messages, new Feed(messages + 10 * CALLS));
  for (const kind of KINDS) for (let i = 0; i < CALLS; i += 1) await one.call(kind, i);
  await one.store.close();
  return grown();
}
