// Stores of all contenders: how they come, go, and are timed.

import { ROOMS, roomId } from "./data.js";

export const load = (contender) => import(`./contender/${contender}.js`);

export const roomIds = Array.from({ length: ROOMS }, (_, i) => roomId(i));

/** A new store, with its rooms where it has such things. */
export async function fresh(contender, name) {
  const { open } = await load(contender);
  await remove(contender, name);
  const store = await open(name);
  await store.rooms?.(roomIds);
  return store;
}

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

/** Why a contender cannot be had in this browser; null if it can. */
export async function missing(contender) {
  return (await (await load(contender)).missing?.()) ?? null;
}

/** Time for what is left over from the last contender: timers, garbage, the browser's own writing. */
export const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function timed(work) {
  const clock = performance.now();
  const made = await work();
  return [performance.now() - clock, made];
}

/** A database with so many messages that stays. */
export async function fill(contender, name, messages, feed) {
  const store = await fresh(contender, name);
  while (feed.made < messages) {
    await store.commit(store.prepare(feed.bulk(Math.min(10_000, messages - feed.made))));
  }
  return store;
}
