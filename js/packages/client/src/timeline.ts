import type { Keeper } from "./engine.js";
import { ListWatcher, type LiveList, type WatchOptions } from "./live.js";
import type { Call, EventId, Message, Reach, RoomId, TimelineItem, Watched } from "./wire.js";

/** The timeline of a room, oldest first: messages, gaps, days, the read marker and what is unsent. */
export interface LiveTimeline extends LiveList<TimelineItem> {
  /** Its room. */
  readonly room: RoomId;
  /** True if it shows the live end. */
  readonly isLive: boolean;
  /** False once the beginning of the room is shown. */
  readonly hasOlder: boolean;
  /** Shows older items; those that are not stored are fetched, if there is a network. */
  older(want?: number): Promise<Reach>;
  /** Shows newer items. */
  newer(want?: number): Promise<Reach>;
  /** Shows an event, and what is around it. */
  around(event: EventId, want?: number): Promise<void>;
  /** Goes back to the live end. */
  toLive(want?: number): Promise<void>;
  /** Fetches what a gap lacks. */
  fill(gap: TimelineItem): Promise<Reach>;
  /** Gives a message of the user's own another text, sent or not. */
  edit(item: TimelineItem, message: string | Message): Promise<void>;
  /** Reacts to a message. */
  react(item: TimelineItem, key: string): Promise<void>;
  /** Takes a reaction back. */
  unreact(item: TimelineItem, key: string): Promise<void>;
  /** Takes a message back, sent or not. */
  redact(item: TimelineItem, reason?: string): Promise<void>;
  /** Tries an unsent message again. */
  retry(item: TimelineItem): Promise<void>;
  /** Gives an unsent message up. */
  cancel(item: TimelineItem): Promise<void>;
}

/** How a timeline begins. */
export interface TimelineOptions extends WatchOptions {
  /** Items that are shown at first, and that a page has; 50 if nothing is said. */
  readonly limit?: number | undefined;
  /** An event to show instead of the live end. */
  readonly around?: EventId | undefined;
}

/** A text as a message. @internal */
export const messageOf = (message: string | Message): Message =>
  typeof message === "string" ? { body: message } : message;

/** @internal */
export class TimelineWatcher extends ListWatcher<TimelineItem> implements LiveTimeline {
  readonly room: RoomId;
  readonly #limit: number;
  /** The event that it stands at, while it is not live. */
  #around: EventId | undefined;
  #hasOlder = true;

  constructor(keeper: Keeper, room: RoomId, options: TimelineOptions = {}) {
    super(keeper, options);
    this.room = room;
    this.#limit = options.limit ?? 50;
    this.#around = options.around;
  }

  get isLive(): boolean {
    return this.#around === undefined;
  }

  get hasOlder(): boolean {
    return this.#hasOlder;
  }

  async older(want = this.#limit): Promise<Reach> {
    const watch = await this.number;
    const reach = await this.keeper.call<Reach>({ call: "older", watch, want }, false);
    this.#hasOlder = !(reach.isEnd && reach.stopped === null);
    await this.#stand(watch);
    return reach;
  }

  async newer(want = this.#limit): Promise<Reach> {
    const watch = await this.number;
    const reach = await this.keeper.call<Reach>({ call: "newer", watch, want }, false);
    await this.#stand(watch);
    return reach;
  }

  async around(event: EventId, want = this.#limit): Promise<void> {
    const watch = await this.number;
    await this.keeper.call({ call: "around", watch, event, want }, false);
    this.#hasOlder = true;
    await this.#stand(watch, event);
  }

  async toLive(want = this.#limit): Promise<void> {
    const watch = await this.number;
    await this.keeper.call({ call: "toLive", watch, want }, false);
    this.#hasOlder = true;
    await this.#stand(watch);
  }

  fill(gap: TimelineItem): Promise<Reach> {
    return this.#act(gap, { call: "fill" });
  }

  edit(item: TimelineItem, message: string | Message): Promise<void> {
    return this.#act(item, { call: "edit", message: messageOf(message) });
  }

  react(item: TimelineItem, key: string): Promise<void> {
    return this.#act(item, { call: "react", key });
  }

  unreact(item: TimelineItem, key: string): Promise<void> {
    return this.#act(item, { call: "unreact", key });
  }

  redact(item: TimelineItem, reason?: string): Promise<void> {
    return this.#act(item, { call: "redact", ...(reason === undefined ? {} : { reason }) });
  }

  retry(item: TimelineItem): Promise<void> {
    return this.#act(item, { call: "retryItem" });
  }

  cancel(item: TimelineItem): Promise<void> {
    return this.#act(item, { call: "cancelItem" });
  }

  /** @internal */
  protected override what(): Watched {
    const utcOffset = -new Date().getTimezoneOffset();
    const limit = Math.max(this.#limit, this.value?.length ?? 0);
    const what = { list: "timeline", room: this.room, limit, utcOffset } as const;
    return this.#around === undefined ? what : { ...what, around: this.#around };
  }

  /** Notes where it stands, for another engine to begin there. */
  async #stand(watch: number, event?: EventId): Promise<void> {
    const isLive = await this.keeper.call<boolean>({ call: "isLive", watch }, false);
    const items = this.value ?? [];
    const middle = items.slice(Math.floor(items.length / 2)).find((item) => item.type === "event");
    this.#around = isLive ? undefined : (event ?? middle?.eventId ?? this.#around);
  }

  async #act<T>(item: TimelineItem, call: Acts): Promise<T> {
    const watch = await this.number;
    return this.keeper.call<T>({ ...call, watch, item: item.id } as Call, false);
  }
}

type OfItems = Extract<Call, { item: string }>;
type Acts = OfItems extends infer C ? (C extends OfItems ? Omit<C, "watch" | "item"> : never) : never;
