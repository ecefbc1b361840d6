import type { EventId, LiveTimeline, Message, Reach, RoomId, TimelineItem, TimelineOptions } from "@haos/client";

import type { FakeHaos } from "./haos.js";
import { FakeList } from "./live.js";

const PAGE = 50;

/** A window on all items of a room. */
export class FakeTimeline extends FakeList<TimelineItem> implements LiveTimeline {
  readonly room: RoomId;
  readonly #haos: FakeHaos;
  readonly #limit: number;
  #start = 0;
  /** Behind the last item that is shown; `undefined` at the live end. */
  #end: number | undefined;

  constructor(haos: FakeHaos, room: RoomId, onClose: () => void, options: TimelineOptions = {}) {
    super(onClose, options);
    this.#haos = haos;
    this.room = room;
    this.#limit = options.limit ?? PAGE;
    if (options.around === undefined) this.#toEnd(this.#limit);
    else this.#toEvent(options.around, this.#limit);
  }

  get isLive(): boolean {
    return this.#end === undefined;
  }

  get hasOlder(): boolean {
    return this.#start > 0;
  }

  /** Shows the window as the room has it now. */
  show(): void {
    this.set(this.#all.slice(this.#start, this.#end));
  }

  older(want = this.#limit): Promise<Reach> {
    return this.#haos.act(() => {
      this.#start = Math.max(0, this.#start - want);
      this.show();
      return { isEnd: this.#start === 0, stopped: null };
    });
  }

  newer(want = this.#limit): Promise<Reach> {
    return this.#haos.act(() => {
      const end = (this.#end ?? this.#all.length) + want;
      this.#end = end >= this.#all.length ? undefined : end;
      this.show();
      return { isEnd: this.#end === undefined, stopped: null };
    });
  }

  around(event: EventId, want = this.#limit): Promise<void> {
    return this.#haos.act(() => {
      this.#toEvent(event, want);
      this.show();
    });
  }

  toLive(want = this.#limit): Promise<void> {
    return this.#haos.act(() => {
      this.#toEnd(want);
      this.show();
    });
  }

  fill(): Promise<Reach> {
    return this.#haos.act(() => ({ isEnd: true, stopped: null }));
  }

  edit(item: TimelineItem, message: string | Message): Promise<void> {
    return this.#haos.edit(this.room, target(item), message);
  }

  async react(item: TimelineItem, key: string): Promise<void> {
    await this.#haos.react(this.room, target(item), key);
  }

  unreact(item: TimelineItem, key: string): Promise<void> {
    return this.#haos.unreact(this.room, target(item), key);
  }

  redact(item: TimelineItem): Promise<void> {
    return this.#haos.redact(this.room, target(item));
  }

  retry(item: TimelineItem): Promise<void> {
    return this.#haos.retry(item.type === "local" ? item.txnId : "");
  }

  cancel(item: TimelineItem): Promise<void> {
    return this.#haos.cancel(item.type === "local" ? item.txnId : "");
  }

  get #all(): readonly TimelineItem[] {
    return this.#haos.items(this.room);
  }

  #toEnd(want: number): void {
    this.#end = undefined;
    this.#start = Math.max(0, this.#all.length - want);
  }

  #toEvent(event: EventId, want: number): void {
    const index = this.#all.findIndex((item) => item.type === "event" && item.eventId === event);
    this.#start = Math.max(0, index - Math.floor(want / 2));
    this.#end = Math.min(this.#all.length, this.#start + want);
    if (this.#end === this.#all.length) this.#end = undefined;
  }
}

function target(item: TimelineItem): { eventId: string } | { txnId: string } {
  if (item.type === "event") return { eventId: item.eventId };
  return { txnId: item.type === "local" ? item.txnId : "" };
}
