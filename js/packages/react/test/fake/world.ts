import {
  HaosError,
  type Account,
  type ConnectionSummary,
  type EventId,
  type Live,
  type Message,
  type OutboxRow,
  type Profile,
  type RoomId,
  type RoomItem,
  type SavedDraft,
  type StorageSummary,
  type SyncProgress,
  type Target,
  type TimelineItem,
  type TxnId,
  type UploadProgress,
  type UserId,
  type WatchOptions,
} from "@haos/client";

import { eventItem, localItem, roomItem, type MessageItem } from "./items.js";
import { FakeLive } from "./live.js";

/** How a chat in memory begins. */
export interface FakeHaosOptions {
  /** The user who is logged in; null: nobody. Default: `@ada:haos.test`. */
  readonly user?: UserId | null;
  /** The clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

interface Watch {
  fail(error: HaosError): void;
  close(): void;
}

interface Room {
  item: RoomItem;
  topic: string | null;
  items: TimelineItem[];
  members: UserId[];
  typing: readonly UserId[];
  draft: SavedDraft | null;
}

/** What a fake chat knows, and what a test says of it. */
export class FakeWorld {
  protected readonly now: () => number;
  protected readonly roomsById = new Map<RoomId, Room>();
  protected readonly watching = new Map<{ show(): void }, string>();
  protected readonly uploads = new Map<TxnId, UploadProgress>();
  protected readonly files = new Map<string, Blob>();
  /** The same row for the same item. */
  protected readonly rows = new WeakMap<TimelineItem, OutboxRow>();
  protected accountNow: Account | null;
  protected serial = 0;
  protected connectionNow: ConnectionSummary = { state: "live", unsent: 0, isSettled: true };
  protected progressNow: SyncProgress | null = null;
  protected storageNow: StorageSummary = {
    level: "ok",
    usedBytes: 0,
    mediaBytes: 0,
    totalBytes: 1 << 30,
    quotaBytes: null,
    evictedBytes: 0,
    prunedMessages: 0,
    isExhausted: false,
  };
  protected failure: HaosError | undefined;
  protected waiting: (() => void)[] | undefined;
  /** True once it was closed. */
  isClosed = false;

  constructor({ user = "@ada:haos.test", now = Date.now }: FakeHaosOptions = {}) {
    this.now = now;
    this.accountNow = user === null ? null : { user, device: "TEST", server: "https://haos.test", isLoggedIn: true };
  }

  // What a test says.

  /** Adds a room. */
  addRoom(id: RoomId, facts: Partial<Omit<RoomItem, "id">> & { members?: UserId[]; topic?: string } = {}): void {
    const { members = [], topic = null, ...rest } = facts;
    const item = roomItem(id, rest);
    this.roomsById.set(id, { item, topic, items: [], members: [this.me, ...members], typing: [], draft: null });
    this.show();
  }

  /** Changes what the list of rooms says of a room. */
  changeRoom(id: RoomId, facts: Partial<Omit<RoomItem, "id">>): void {
    const room = this.roomOf(id);
    room.item = { ...room.item, ...facts };
    this.show();
  }

  /** Somebody says something; the id of the event. */
  receive(room: RoomId, sender: UserId, message: string | Message): EventId {
    const [id, eventId] = [`i${(this.serial += 1)}`, `$e${this.serial}`];
    this.append(room, eventItem(id, eventId, null, this.written(sender, message)));
    return eventId;
  }

  /** Adds any items to the end of a timeline, such as a gap or a day. */
  addItems(room: RoomId, ...items: TimelineItem[]): void {
    this.roomOf(room).items.push(...items);
    this.show();
  }

  /** Says who types. */
  types(room: RoomId, users: readonly UserId[]): void {
    this.roomOf(room).typing = users;
    this.show();
  }

  /** Sets the connection. What is unsent is sent once it is `live`. */
  setConnection(connection: { state: "live" | "offline" | "connecting" | "logged_out" }): void {
    this.connectionNow = { ...this.connectionNow, ...connection };
    if (connection.state === "live") this.deliver();
    this.show();
  }

  /** Sets how far the first sync is. */
  setSyncProgress(progress: SyncProgress | null): void {
    this.progressNow = progress;
    this.show();
  }

  /** Changes what is known of the storage. */
  setStorage(storage: Partial<StorageSummary>): void {
    this.storageNow = { ...this.storageNow, ...storage };
    this.show();
  }

  /** Adds a media item. */
  addMedia(uri: string, blob: Blob): void {
    this.files.set(uri, blob);
  }

  /** Lets every call and every watch fail, until it is called without an error. */
  fail(error?: HaosError): void {
    this.failure = error;
    this.show();
  }

  /** Holds answers back, and first values too, until {@link FakeHaos.release}. */
  hold(): void {
    this.waiting ??= [];
  }

  /** Gives the answers that were held back, in order. */
  release(): void {
    const held = this.waiting ?? [];
    this.waiting = undefined;
    for (const answer of held) answer();
    this.show();
  }

  /** What is watched now, such as `rooms {}` or `timeline !lobby:haos.test`, once for each watch. */
  get watches(): string[] {
    return [...this.watching.values()];
  }

  /** A room's items, those that no timeline shows included. */
  items(room: RoomId): readonly TimelineItem[] {
    return this.roomsById.get(room)?.items ?? [];
  }

  /** Does something, or fails as the test wants it; later, where answers are held back. @internal */
  async act<T>(does: () => T): Promise<T> {
    const { promise, resolve } = later();
    if (this.waiting === undefined) resolve();
    else this.waiting.push(resolve);
    await promise;
    if (this.isClosed) throw new HaosError({ code: "closed", message: "the chat is closed: open it again" });
    if (this.failure !== undefined) throw this.failure;
    return does();
  }

  protected get me(): UserId {
    return this.accountNow?.user ?? "@nobody:haos.test";
  }

  protected roomOf(id: RoomId): Room {
    const room = this.roomsById.get(id);
    if (room === undefined) throw new HaosError({ code: "not_found", message: `there is no room ${id}: add it` });
    return room;
  }

  protected written(sender: UserId, message: string | Message) {
    return {
      sender: profile(sender),
      isOwn: sender === this.me,
      timestampMs: this.now(),
      message: typeof message === "string" ? { body: message } : message,
    };
  }

  protected append(id: RoomId, item: MessageItem): void {
    const room = this.roomOf(id);
    room.items.push(item);
    const unread = room.item.unread + (item.isOwn ? 0 : 1);
    room.item = { ...room.item, unread, lastActivityMs: item.timestampMs };
    this.show();
  }

  protected change(room: RoomId, target: Target, change: (item: MessageItem) => MessageItem): Promise<void> {
    return this.act(() => {
      const to = this.roomOf(room);
      to.items = to.items.map((item) => (isTarget(item, target) ? change(item) : item));
      this.show();
    });
  }

  protected unsent(): OutboxRow[] {
    return [...this.roomsById].flatMap(([room, { items }]) =>
      items.flatMap((item) => {
        if (item.type !== "local") return [];
        const { txnId, kind, error, timestampMs: createdMs, content, status } = item;
        const text = "body" in content ? (content.body ?? "") : "";
        let row = this.rows.get(item);
        if (row === undefined) this.rows.set(item, (row = { txnId, room, kind, text, error, createdMs, ...status }));
        return [row];
      }),
    );
  }

  protected deliver(): void {
    for (const room of this.roomsById.values()) {
      room.items = room.items.map((item) => {
        if (item.type !== "local") return item;
        const { status: _, error: __, ...rest } = item;
        const upload = this.uploads.get(item.txnId);
        if (upload !== undefined) {
          this.uploads.set(item.txnId, { ...upload, sentBytes: upload.totalBytes, status: "sent" });
        }
        return { ...rest, type: "event", eventId: `$${item.txnId}`, receipts: [] };
      });
    }
    this.show();
  }

  protected watchValue<T>(name: string, read: () => T, options?: WatchOptions): Live<T> {
    return this.watch(name, (onClose) => {
      const live = new FakeLive<T>(onClose, options);
      return [live, { show: () => live.set(read()) }];
    });
  }

  /** Begins to watch: the first value comes a moment later, as it does from an engine. */
  protected watch<L extends Watch>(name: string, make: (onClose: () => void) => [L, { show(): void }]): L {
    const [live, shown] = make(() => void this.watching.delete(watch));
    let isFirst = true;
    const watch = {
      close: () => live.close(),
      show: () => {
        if (isFirst || this.waiting !== undefined) return;
        if (this.failure === undefined) shown.show();
        else live.fail(this.failure);
      },
    };
    this.watching.set(watch, name);
    queueMicrotask(() => {
      isFirst = false;
      watch.show();
    });
    return live;
  }

  protected show(): void {
    const unsent = this.unsent().length;
    if (unsent !== this.connectionNow.unsent) {
      this.connectionNow = { ...this.connectionNow, unsent, isSettled: unsent === 0 };
    }
    for (const watch of [...this.watching.keys()]) watch.show();
  }
}

function isTarget(item: TimelineItem, target: Target): item is MessageItem {
  if (item.type !== "event" && item.type !== "local") return false;
  return "txnId" in target ? item.txnId === target.txnId : item.type === "event" && item.eventId === target.eventId;
}

/** Somebody, by their id. */
export function profile(id: UserId): Profile {
  const local = id.slice(1).split(":")[0] ?? id;
  return { id, name: local.charAt(0).toUpperCase() + local.slice(1), avatar: null };
}

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
