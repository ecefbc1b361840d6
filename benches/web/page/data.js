// Matrix-like messages of 300 to 600 bytes, the same for every contender, in every run and engine.

export const ROOMS = 10;
/** History that came in pages of so many messages, behind each of them the rest of a hole that a gap kept free. */
const RUN = 100;
const HOLE = 2 ** 16;
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

const ROOM_NUMBERS = new Map(Array.from({ length: ROOMS }, (_, i) => [roomId(i), i]));

/** Event ids are hashes in Matrix, so their order says nothing. */
export const eventId = (n) => `$${hex(n)}${hex(n + 0x10000000)}${hex(n + 0x20000000)}${hex(n + 0x30000000)}${n}`;

function body(n) {
  const length = 60 + (noise(n + 0x40000000) % 300);
  let words = "";
  for (let i = 0; words.length < length; i += 1) words += `${WORDS[noise(n * 64 + i) % WORDS.length]} `;
  return `${words}${n}`;
}

/** Message `n` of all, in a place of its room. */
export function message(n, room, place) {
  return {
    roomId: roomId(room),
    eventId: eventId(n),
    position: place + Math.floor(place / RUN) * HOLE,
    sender: `@user${noise(n) % 97}:example.org`,
    timestamp: START_MS + n * 250,
    type: "m.room.message",
    content: { msgtype: "m.text", body: body(n) },
  };
}

/** Timelines that grow: it knows the next message of each room. */
export class Feed {
  /** Goes on behind so many messages of a bulk. */
  constructor(bulk = 0) {
    this.made = bulk;
    this.places = Array.from({ length: ROOMS }, (_, i) => Math.floor((bulk + ROOMS - 1 - i) / ROOMS));
  }

  /** The next message of a room. */
  next(room) {
    const made = message(this.made, room, this.places[room]);
    this.made += 1;
    this.places[room] += 1;
    return made;
  }

  /** An edit of a message by its sender, which is the next one of the room. */
  edit(target) {
    const { content, ...event } = this.next(ROOM_NUMBERS.get(target.roomId));
    const relation = { rel_type: "m.replace", event_id: target.eventId };
    return {
      ...event,
      sender: target.sender,
      edits: target.eventId,
      content: { ...content, body: `* ${content.body}`, "m.new_content": content, "m.relates_to": relation },
    };
  }

  /** What empties a message. */
  redaction(target) {
    this.made += 1;
    return { roomId: target.roomId, target: target.eventId, eventId: eventId(this.made - 1) };
  }

  /** A message that comes last of all and belongs into the hole behind another one, as number `n` there. */
  late(before, n) {
    this.made += 1;
    const { roomId, position, timestamp } = before;
    return { ...message(this.made - 1, 0, 0), roomId, position: position + n, timestamp: timestamp + n };
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

/** Tells if a hole is behind message `n` of a bulk. */
export const isBeforeHole = (n) => Math.floor(n / ROOMS) % RUN === RUN - 1;
