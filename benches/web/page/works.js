// All kinds of work, in the order of a round. Each names the method that a store needs for it. `ready` runs before the
// clock, `run` within it, and `wrong` after it counts what is not as it was stored. A work of several blocks leaves the
// turn to others between them; its time is that of all.

import { roomId } from "./data.js";
import { roomIds } from "./stores.js";

export const PAGE = 50;
const PAGES = 20;
/** The rooms of which pages are read: those that the commits leave alone. */
const PAGED = [9, 8, 7];

const same = (one, other) => one?.eventId === other.eventId && one.content.body === other.content.body;

/** How many of those expected are not there. */
const differing = (found, expected) => expected.filter((message, i) => !same(found[i], message)).length;

const BLOCKS = 4;

/** One of the blocks of a list. */
const part = (list, block) => list.slice((block * list.length) / BLOCKS, ((block + 1) * list.length) / BLOCKS);

/** Each commit awaited before the next. */
const commits = (name, batches = (script) => script[name]) => ({
  name,
  needs: "commit",
  blocks: BLOCKS,
  ready: (store, script, block) => part(batches(script), block).map((batch) => store.prepare(batch)),
  async run(store, prepared) {
    for (const batch of prepared) await store.commit(batch);
  },
});

/** Changes of stored messages, one a commit. */
const changes = (name, prepare, method) => ({
  name,
  needs: method,
  blocks: BLOCKS,
  ready: (store, script, block) => part(script[name], block).map((event) => store[prepare](event)),
  async run(store, prepared) {
    for (const event of prepared) await store[method](event);
  },
});

/** Pages of a room from the newest on, as one list; a room is a block, the time that of one room. */
const pages = (name, reopens, page, wrong) => ({
  name,
  needs: "older",
  reopens,
  blocks: PAGED.length,
  share: 1 / PAGED.length,
  ready: (_, __, block) => PAGED[block],
  async run(store, room) {
    const found = [await page(store, roomId(room))];
    while (found.length < PAGES && found.at(-1).length > 0) found.push(await page(store, roomId(room), found.at(-1)));
    return found.reverse().flat();
  },
  wrong,
});

const asStored = (store, room, before) =>
  before ? store.older(room, before, PAGE) : store.newest(room, PAGE);

const stored = (found, script, room) => differing(found, script.rooms[room].slice(-PAGE * PAGES));

const asShown = (store, room, before) =>
  store.shown ? store.shown(room, before, PAGE) : asStored(store, room, before);

/** An edit may take a place of a page: then fewer are shown. */
function shown(found, script, room) {
  const edits = script.edits.filter((edit) => edit.roomId === roomId(room)).length;
  const length = Math.max(found.length, PAGE * PAGES - edits);
  return differing(found, script.shown[room].slice(-length));
}

const gets = (name, reopens) => ({
  name,
  needs: "message",
  reopens,
  blocks: BLOCKS,
  ready: (_, script, block) => part(script.wanted[0], block),
  async run(store, wanted) {
    const found = [];
    for (const { roomId, eventId } of wanted) found.push(await store.message(roomId, eventId));
    return found;
  },
  wrong: (found, _, wanted) => differing(found, wanted),
});

export const WORKS = [
  {
    name: "bulk",
    needs: "message",
    rests: 300,
    ready: (store, script) => store.prepare(script.bulk),
    async run(store, prepared, lap) {
      await store.commit(prepared);
      lap("bulk");
      await store.fold?.();
      lap("bulk_folded");
    },
  },
  commits("commits_5_rooms"),
  commits("commits_1_room"),
  commits("commits_of_1"),
  {
    name: "newest_50",
    needs: "newest",
    blocks: roomIds.length,
    share: 1 / roomIds.length,
    ready: (_, __, block) => block,
    run: (store, room) => store.newest(roomId(room), PAGE),
    wrong: (found, script, room) => differing(found, script.rooms[room].slice(-PAGE)),
  },
  pages("pages_20", true, asStored, stored),
  pages("pages_again", false, asStored, stored),
  gets("gets_in_sequence", true),
  gets("gets_again", false),
  {
    name: "gets_at_once",
    needs: "message",
    reopens: true,
    ready: (_, script) => script.wanted[1],
    run: (store, wanted) => Promise.all(wanted.map(({ roomId, eventId }) => store.message(roomId, eventId))),
    wrong: (found, _, wanted) => differing(found, wanted),
  },
  changes("edits", "prepareEdit", "edit"),
  changes("redactions", "prepareRedaction", "redact"),
  commits("late", (script) => script.late.map((message) => [message])),
  pages("pages_shown", true, asShown, shown),
  {
    name: "fold",
    needs: "message",
    async run(store) {
      await store.fold?.();
    },
  },
];

/** All that is written after the bulk, one commit after the other. */
const WRITES = ["commits_5_rooms", "commits_1_room", "commits_of_1", "edits", "redactions", "late"];

/** Those, and the folding of what they left. */
export function sums(times) {
  const { fold, ...others } = times;
  if (fold === undefined) return others;
  return { ...others, writes_folded: WRITES.reduce((sum, name) => sum + times[name], fold) };
}
