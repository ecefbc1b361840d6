// The messages of a round, the same for every contender, and what is to be found after each kind of work.

import { Feed, ROOMS, isBeforeHole, noise, roomId } from "./data.js";

const GETS = 1000;
const CHANGES = 200;

/** So many numbers below `below`, none of them twice. */
function choose(count, below, seed, taken) {
  const chosen = [];
  for (let i = seed; chosen.length < count; i += 1) {
    const number = noise(i) % below;
    if (!taken.has(number)) chosen.push(number);
    taken.add(number);
  }
  return chosen;
}

export class Script {
  constructor(messages) {
    const feed = new Feed();
    this.bulk = feed.bulk(messages);
    this.commits_5_rooms = feed.commits(200, 5, 5);
    this.commits_1_room = feed.commits(200, 5, 1);
    this.commits_of_1 = feed.commits(200, 1, 1);
    const commits = [this.commits_5_rooms, this.commits_1_room, this.commits_of_1];
    const all = [...this.bulk, ...commits.flat(2)];
    /** Each room's messages in their order. */
    this.rooms = Array.from({ length: ROOMS }, (_, i) => all.filter((message) => message.roomId === roomId(i)));
    const wanted = (seed) => Array.from({ length: GETS }, (_, i) => all[noise(i + seed) % all.length]);
    this.wanted = [wanted(0x50000000), wanted(0x60000000)];

    // In the middle of what the bulk brought: neither the newest nor the oldest tenth.
    const tenth = Math.floor(messages / 10);
    const middle = this.bulk.slice(tenth, -tenth);
    const taken = new Set();
    const targets = (seed) => choose(CHANGES, middle.length, seed, taken).map((number) => middle[number]);
    this.edits = targets(0x70000000).map((target) => feed.edit(target));
    this.redactions = targets(0x71000000).map((target) => feed.redaction(target));
    const holes = middle.filter((_, i) => isBeforeHole(tenth + i));
    this.late = Array.from({ length: CHANGES }, (_, i) =>
      feed.late(holes[i % holes.length], 1 + Math.floor(i / holes.length)),
    );
    this.shown = this.rooms.map((room) => this.asShown(room));
  }

  /** A room after edits, redactions and late messages. */
  asShown(room) {
    const edited = this.edits.map(({ edits, content }) => [edits, content["m.new_content"]]);
    const emptied = this.redactions.map(({ target }) => [target, {}]);
    const contents = new Map([...edited, ...emptied]);
    const late = this.late.filter((message) => message.roomId === room[0].roomId);
    const rows = [...room, ...late].sort((one, other) => one.position - other.position);
    return rows.map((message) => ({ ...message, content: contents.get(message.eventId) ?? message.content }));
  }
}
