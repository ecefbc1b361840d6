// What every contender does, in the same order, on a database of its own. Times are in milliseconds. What it
// gives back is compared with what it was given, outside of the clock; `wrong` counts what differs.

import { Feed, ROOMS, noise, roomId } from "./data.js";

const PAGE = 50;
const PAGES = 20;
const GETS = 1000;

const load = (contender) => import(`./contender/${contender}.js`);

/** A new store, with its rooms where it has such things. */
export async function fresh(contender, name) {
  const { open } = await load(contender);
  await remove(contender, name);
  const store = await open(name);
  await store.rooms?.(Array.from({ length: ROOMS }, (_, i) => roomId(i)));
  return store;
}

/** Time for what is left over from the last contender: timers, garbage, the browser's own writing. */
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A contender's own way to remove a database, or the browser's. */
export async function remove(contender, name) {
  const module = await load(contender);
  await (module.remove ?? erase)(name);
}

function erase(name) {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
    // A connection that closes is not closed at once: it succeeds after that.
    setTimeout(() => reject(new Error(`${name} is still open`)), 30_000);
  });
}

async function timed(work) {
  const clock = performance.now();
  const made = await work();
  return [performance.now() - clock, made];
}

async function commits(store, batches) {
  const prepared = batches.map((batch) => store.prepare(batch));
  const [ms] = await timed(async () => {
    for (const batch of prepared) await store.commit(batch);
  });
  return ms;
}

const same = (one, other) => one?.eventId === other.eventId && one.content.body === other.content.body;

/** How many of a page are not the ones expected. */
function differing(page, expected) {
  return expected.filter((message, i) => !same(page[i], message)).length;
}

/** One contender's whole workload. */
export async function round(contender, messages) {
  const name = `bench-${contender}`;
  const store = await fresh(contender, name);
  const feed = new Feed();
  const all = feed.bulk(messages);
  const times = {};
  times.bulk = await commits(store, [all]);
  await rest(200);
  const keep = (batches) => batches.forEach((batch) => all.push(...batch)) ?? batches;
  times.commits_5_rooms = await commits(store, keep(feed.commits(200, 5, 5)));
  times.commits_1_room = await commits(store, keep(feed.commits(200, 5, 1)));
  times.commits_of_1 = await commits(store, keep(feed.commits(200, 1, 1)));
  await rest(200);

  const rooms = Array.from({ length: ROOMS }, (_, i) => all.filter((message) => message.roomId === roomId(i)));
  let wrong = 0;
  const [newest, firsts] = await timed(async () => {
    const pages = [];
    for (let i = 0; i < ROOMS; i += 1) pages.push(await store.newest(roomId(i), PAGE));
    return pages;
  });
  times.newest_50 = newest / ROOMS;
  wrong += firsts.reduce((sum, page, i) => sum + differing(page, rooms[i].slice(-PAGE)), 0);

  const last = ROOMS - 1;
  let pages;
  [times.pages_20, pages] = await timed(async () => {
    const pages = [await store.newest(roomId(last), PAGE)];
    while (pages.length < PAGES) pages.push(await store.older(roomId(last), pages.at(-1), PAGE));
    return pages;
  });
  wrong += differing(pages.reverse().flat(), rooms[last].slice(-PAGE * PAGES));

  const wanted = Array.from({ length: GETS }, (_, i) => all[noise(i + 0x50000000) % all.length]);
  const got = (found) => found.filter((message, i) => !same(message, wanted[i])).length;
  let found;
  [times.gets_in_sequence, found] = await timed(async () => {
    const found = [];
    for (const { roomId, eventId } of wanted) found.push(await store.message(roomId, eventId));
    return found;
  });
  wrong += got(found);
  [times.gets_in_parallel, found] = await timed(() =>
    Promise.all(wanted.map(({ roomId, eventId }) => store.message(roomId, eventId))),
  );
  wrong += got(found);

  await store.close();
  await remove(contender, name);
  await rest(200);
  return { times, wrong };
}

/** A database with so many messages that stays, for cold starts. */
export async function fill(contender, name, messages) {
  const store = await fresh(contender, name);
  await store.commit(store.prepare(new Feed().bulk(messages)));
  const page = await store.newest(roomId(0), PAGE);
  await store.close();
  return { room: roomId(0), first: page[0].content.body, last: page[PAGE - 1].content.body };
}

/** Newest pages and commits while a database grows to each of the sizes. */
export async function scale(contender, sizes) {
  const name = `scale-${contender}`;
  const store = await fresh(contender, name);
  const feed = new Feed();
  const seen = [];
  for (const size of sizes) {
    while (feed.made < size) {
      await store.commit(store.prepare(feed.bulk(Math.min(10_000, size - feed.made))));
    }
    await rest(1000);
    seen.push(await sample(store, feed));
  }
  await store.close();
  await remove(contender, name);
  return seen;
}

/** Medians of single calls. */
async function sample(store, feed) {
  const median = (times) => times.sort((one, other) => one - other)[times.length >> 1];
  const pages = [];
  const commits = [];
  const messages = feed.made;
  for (let i = 0; i < 100; i += 1) {
    pages.push((await timed(() => store.newest(roomId(i % ROOMS), PAGE)))[0]);
  }
  for (const batch of feed.commits(200, 5, 5)) {
    const prepared = store.prepare(batch);
    commits.push((await timed(() => store.commit(prepared)))[0]);
  }
  return { messages, newest_50: median(pages), commit_of_5: median(commits) };
}
