// The older events of rooms, which follow once the room list is there.

import type { MatrixClient } from "matrix-js-sdk/lib/client.js";
import type { MatrixEvent } from "matrix-js-sdk/lib/models/event.js";
import type { EventTimeline } from "matrix-js-sdk/lib/models/event-timeline.js";
import type { Room } from "matrix-js-sdk/lib/models/room.js";

import type { Cut } from "./joined.js";
import type { RawEvent } from "./json.js";

/** The events that a room takes in one go, so that the page stays free. */
const STEP = 50;
/** The latest that an idle moment is waited for, in milliseconds. */
const IDLE_MS = 100;

const BACKWARDS = "b" as Parameters<EventTimeline["setPaginationToken"]>[1];

/** Reads the events that were cut; undefined if they are gone. */
export type ReadCut = (cut: Cut) => Promise<RawEvent[] | undefined>;

interface Left {
  readonly cut: Cut;
  /** The events, once they were asked for. */
  events?: Promise<RawEvent[] | undefined>;
}

/** Gives rooms the events that they were not given at the start. */
export class Filler {
  readonly #read: ReadCut;
  readonly #left = new Map<string, Left>();
  readonly #rooms: [Room, EventTimeline][] = [];
  /** Resolves once every room has them. */
  done: Promise<void> = Promise.resolve();

  constructor(read: ReadCut) {
    this.#read = read;
  }

  /** What rooms were not given. */
  begin(cuts: ReadonlyMap<string, Cut>): void {
    for (const [room, cut] of cuts) this.#left.set(room, { cut });
  }

  /** A room that the SDK made; it is given the rest once the list of rooms is there. */
  take(room: Room): void {
    if (!this.#left.has(room.roomId)) return;
    this.#rooms.push([room, room.getLiveTimeline()]);
    if (this.#rooms.length > 1) return;
    const client = room.client as unknown as { once(event: "sync", handler: () => void): void };
    this.done = new Promise((done) => client.once("sync", () => void this.#all().then(done)));
  }

  /** Reads what rooms were not given, before it is removed. */
  async hold(rooms: Iterable<string>): Promise<void> {
    for (const room of rooms) await this.#eventsOf(this.#left.get(room));
  }

  /** Leaves events out. */
  async forget(room: string, ids: ReadonlySet<string>): Promise<void> {
    const left = this.#left.get(room);
    const events = await this.#eventsOf(left);
    if (left) left.events = Promise.resolve(events?.filter(({ event_id: id }) => id === undefined || !ids.has(id)));
  }

  /** Gives no more. */
  clear(): void {
    this.#left.clear();
  }

  #eventsOf(left: Left | undefined): Promise<RawEvent[] | undefined> {
    if (left === undefined) return Promise.resolve(undefined);
    return (left.events ??= this.#read(left.cut));
  }

  async #all(): Promise<void> {
    // Those where something happened last are looked at first.
    const rooms = this.#rooms.splice(0);
    rooms.sort(([a], [b]) => b.getLastActiveTimestamp() - a.getLastActiveTimestamp());
    for (const [room, timeline] of rooms) {
      const left = this.#left.get(room.roomId);
      const events = await this.#eventsOf(left);
      if (left !== undefined && events !== undefined) await fill(room, timeline, events, left.cut.token);
      this.#left.delete(room.roomId);
    }
  }
}

/** Puts older events, the oldest first, before those of a room's live timeline, unless that was replaced. */
async function fill(room: Room, timeline: EventTimeline, events: RawEvent[], token: string): Promise<void> {
  const toEvent = room.client.getEventMapper();
  for (let end = events.length; end > 0; end -= STEP) {
    await idle();
    if (room.getLiveTimeline() !== timeline) return;
    const step = events.slice(Math.max(0, end - STEP), end).reverse();
    const made = step.map((event) => toEvent({ ...event, room_id: room.roomId } as Parameters<typeof toEvent>[0]));
    put(room.client, room, timeline, made);
  }
  timeline.setPaginationToken(token, BACKWARDS);
}

/** Does what the client does with a page of `/messages`. */
function put(client: MatrixClient, room: Room, timeline: EventTimeline, events: MatrixEvent[]): void {
  const [timelineEvents, threadedEvents, unknownRelations = []] = room.partitionThreadedEvents(events);
  client.processAggregatedTimelineEvents(room, timelineEvents);
  // Later versions take a word more: whether events of state count.
  const isLater = room.addEventsToTimeline.length > 4;
  const args = isLater ? [timelineEvents, true, true, timeline] : [timelineEvents, true, timeline];
  (room.addEventsToTimeline as (...args: unknown[]) => void).apply(room, args);
  client.processThreadEvents(room, threadedEvents, true);
  for (const event of unknownRelations) room.relations.aggregateChildEvent(event);
}

function idle(): Promise<void> {
  return new Promise((done) => {
    if (typeof requestIdleCallback === "undefined") setTimeout(done, 0);
    else requestIdleCallback(() => done(), { timeout: IDLE_MS });
  });
}
