// Matrix-like messages of 300 to 600 bytes, the same for every contender, in every run and engine.

export const ROOMS = 10;
const START_MS = 1_795_000_000_000;
const WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt".split(" ");

/** 32 bits that look like chance: the finish of murmur3. */
export function noise(n) {
  let x = Math.imul(n ^ (n >>> 16), 0x85ebca6b) + 0x9e3779b9;
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

const hex = (n) => noise(n).toString(16).padStart(8, "0");

export const roomId = (n) => `!${hex(n * 7919)}room${n}:example.org`;

/** Event ids are hashes in Matrix, so their order says nothing. */
export const eventId = (n) => `$${hex(n)}${hex(n + 0x10000000)}${hex(n + 0x20000000)}${hex(n + 0x30000000)}${n}`;

/** Message `n` of all, as the one at `position` of its room. */
export function message(n, room, position) {
  const length = 60 + (noise(n + 0x40000000) % 300);
  let body = "";
  for (let i = 0; body.length < length; i += 1) body += `${WORDS[noise(n * 64 + i) % WORDS.length]} `;
  return {
    roomId: roomId(room),
    eventId: eventId(n),
    position,
    sender: `@user${noise(n) % 97}:example.org`,
    timestamp: START_MS + n * 250,
    type: "m.room.message",
    content: { msgtype: "m.text", body: `${body}${n}` },
  };
}

/** A timeline that grows: it knows the next message of each room. */
export class Feed {
  constructor() {
    this.made = 0;
    this.positions = new Array(ROOMS).fill(0);
  }

  /** The next message of a room. */
  next(room) {
    const made = message(this.made, room, this.positions[room]);
    this.made += 1;
    this.positions[room] += 1;
    return made;
  }

  /** That many, over all rooms in turns. */
  bulk(count) {
    return Array.from({ length: count }, (_, i) => this.next(i % ROOMS));
  }

  /** Commits of so many messages each, over that many rooms in turns. */
  commits(count, size, rooms) {
    return Array.from({ length: count }, () => Array.from({ length: size }, (_, i) => this.next(i % rooms)));
  }
}
