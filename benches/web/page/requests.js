// How often an operation asks the browser: transactions opened, requests made, and the longest chain of requests
// that waited for one another. No load on the machine changes these figures.

import { Feed, isBeforeHole, roomId } from "./data.js";
import { fresh, remove } from "./stores.js";

const METHODS = ["put", "add", "get", "getKey", "getAll", "getAllKeys", "getAllRecords", "delete", "clear", "count"];
const CURSORS = ["openCursor", "openKeyCursor"];
const none = () => ({ transactions: 0, requests: 0, chain: 0, names: {} });
let counted = none();
/** The longest chain that has its answers. */
let answered = 0;

function wrap(prototype, name, count) {
  const inner = prototype[name];
  if (!inner) return;
  prototype[name] = function (...args) {
    const made = inner.apply(this, args);
    count(name, made);
    return made;
  };
}

function request(name, made) {
  counted.requests += 1;
  counted.names[name] = (counted.names[name] ?? 0) + 1;
  const depth = answered + 1;
  counted.chain = Math.max(counted.chain, depth);
  // First of all listeners: what the answer leads to comes after it.
  const note = () => {
    answered = Math.max(answered, depth);
  };
  made?.addEventListener("success", note);
  made?.addEventListener("error", note);
}

wrap(IDBDatabase.prototype, "transaction", () => {
  counted.transactions += 1;
});
for (const prototype of [IDBObjectStore.prototype, IDBIndex.prototype]) {
  for (const name of [...METHODS, ...CURSORS]) wrap(prototype, name, request);
}
for (const name of ["continue", "advance", "update", "delete"]) wrap(IDBCursor.prototype, name, request);

async function counting(work) {
  counted = none();
  answered = 0;
  const made = await work();
  return [counted, made];
}

/** What each operation asks for, on a database with so many messages; nothing of what a store cannot do. */
export async function requests(contender, messages) {
  const name = `requests-${contender}`;
  const store = await fresh(contender, name);
  const feed = new Feed();
  const all = feed.bulk(messages);
  const seen = {};
  const commit = async (messages) => {
    const prepared = store.prepare(messages);
    return (await counting(() => store.commit(prepared)))[0];
  };
  // Not the first ones: a store may learn what it then knows.
  const commits = async () => {
    for (const batch of feed.commits(10, 5, 5)) seen.commits_5_rooms = await commit(batch);
    for (const batch of feed.commits(10, 5, 1)) seen.commits_1_room = await commit(batch);
    for (const batch of feed.commits(10, 1, 1)) seen.commits_of_1 = await commit(batch);
  };
  if (!store.newest) {
    await commits();
  } else {
    seen.bulk = await commit(all);
    await commits();
    let page;
    [seen.newest_50, page] = await counting(() => store.newest(roomId(1), 50));
    [seen.pages_20] = await counting(() => store.older(roomId(1), page, 50));
    [seen.gets_in_sequence] = await counting(() => store.message(all[77].roomId, all[77].eventId));
    const middle = all.length >> 1;
    const edit = store.prepareEdit(feed.edit(all[middle]));
    [seen.edits] = await counting(() => store.edit(edit));
    const redaction = store.prepareRedaction(feed.redaction(all[middle + 1]));
    [seen.redactions] = await counting(() => store.redact(redaction));
    const before = all.find((_, n) => n > middle && isBeforeHole(n));
    seen.late = await commit([feed.late(before, 1)]);
  }
  await store.close();
  await remove(contender, name);
  return seen;
}
