import {
  HaosError,
  type Account,
  type Cleared,
  type ConnectionSummary,
  type Done,
  type DraftToKeep,
  type EventId,
  type FileFacts,
  type Haos,
  type Live,
  type LiveList,
  type LiveRooms,
  type Login,
  type Members,
  type Message,
  type NewRoom,
  type OutboxRow,
  type Profile,
  type RoomId,
  type RoomInfo,
  type RoomItem,
  type RoomQuery,
  type RoomsOptions,
  type SavedDraft,
  type StorageSummary,
  type SyncProgress,
  type Target,
  type TimelineItem,
  type TimelineOptions,
  type TxnId,
  type Upload,
  type UploadProgress,
  type UserId,
  type WatchOptions,
} from "@haos/client";

import { eventItem, localItem, roomItem, type MessageItem } from "./items.js";
import { MemoryList, MemoryLive } from "./live.js";
import { MemoryTimeline } from "./timeline.js";

/** How a chat in memory begins. */
export interface MemoryHaosOptions {
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

/** A list of rooms, as many as it shows. */
class MemoryRooms extends MemoryList<RoomItem> implements LiveRooms {
  readonly #all: () => readonly RoomItem[];
  #limit: number;

  constructor(all: () => readonly RoomItem[], onClose: () => void, options: RoomsOptions = {}) {
    super(onClose, options);
    this.#all = all;
    this.#limit = options.limit ?? 50;
  }

  show(): void {
    this.set(this.#all().slice(0, this.#limit));
  }

  more(rooms: number): Promise<boolean> {
    this.#limit += rooms;
    this.show();
    return Promise.resolve(this.#all().length > this.#limit);
  }
}

/**
 * A chat without an engine and without a server, for the tests of components: it does at once what it is told, and a
 * test says what the others do.
 *
 * It keeps no promise of a store: nothing is durable, and what is sent is sent once by nature.
 *
 * @example
 * ```ts
 * const haos = new MemoryHaos();
 * haos.addRoom("!lobby:haos.test", { name: "Lobby" });
 * haos.receive("!lobby:haos.test", "@bob:haos.test", "hello");
 * render(<HaosProvider client={haos}><App /></HaosProvider>);
 * ```
 */
export class MemoryHaos implements Haos {
  readonly #now: () => number;
  readonly #rooms = new Map<RoomId, Room>();
  readonly #watches = new Map<{ show(): void }, string>();
  readonly #uploads = new Map<TxnId, UploadProgress>();
  readonly #files = new Map<string, Blob>();
  /** The same row for the same item. */
  readonly #rows = new WeakMap<TimelineItem, OutboxRow>();
  #account: Account | null;
  #serial = 0;
  #connection: ConnectionSummary = { state: "live", unsent: 0, isSettled: true };
  #progress: SyncProgress | null = null;
  #storage: StorageSummary = {
    level: "ok",
    usedBytes: 0,
    mediaBytes: 0,
    totalBytes: 1 << 30,
    quotaBytes: null,
    evictedBytes: 0,
    prunedMessages: 0,
    isExhausted: false,
  };
  #error: HaosError | undefined;
  #held: (() => void)[] | undefined;
  /** True once it was closed. */
  isClosed = false;

  constructor({ user = "@ada:haos.test", now = Date.now }: MemoryHaosOptions = {}) {
    this.#now = now;
    this.#account = user === null ? null : { user, device: "TEST", server: "https://haos.test", isLoggedIn: true };
  }

  // What a test says.

  /** Adds a room. */
  addRoom(id: RoomId, facts: Partial<Omit<RoomItem, "id">> & { members?: UserId[]; topic?: string } = {}): void {
    const { members = [], topic = null, ...rest } = facts;
    const item = roomItem(id, rest);
    this.#rooms.set(id, { item, topic, items: [], members: [this.#me, ...members], typing: [], draft: null });
    this.#show();
  }

  /** Changes what the list of rooms says of a room. */
  changeRoom(id: RoomId, facts: Partial<Omit<RoomItem, "id">>): void {
    const room = this.#room(id);
    room.item = { ...room.item, ...facts };
    this.#show();
  }

  /** Somebody says something; the id of the event. */
  receive(room: RoomId, sender: UserId, message: string | Message): EventId {
    const [id, eventId] = [`i${(this.#serial += 1)}`, `$e${this.#serial}`];
    this.#append(room, eventItem(id, eventId, null, this.#written(sender, message)));
    return eventId;
  }

  /** Adds any items to the end of a timeline, such as a gap or a day. */
  addItems(room: RoomId, ...items: TimelineItem[]): void {
    this.#room(room).items.push(...items);
    this.#show();
  }

  /** Says who types. */
  types(room: RoomId, users: readonly UserId[]): void {
    this.#room(room).typing = users;
    this.#show();
  }

  /** Sets the connection. What is unsent is sent once it is `live`. */
  setConnection(connection: { state: "live" | "offline" | "connecting" | "logged_out" }): void {
    this.#connection = { ...this.#connection, ...connection };
    if (connection.state === "live") this.#deliver();
    this.#show();
  }

  /** Sets how far the first sync is. */
  setSyncProgress(progress: SyncProgress | null): void {
    this.#progress = progress;
    this.#show();
  }

  /** Changes what is known of the storage. */
  setStorage(storage: Partial<StorageSummary>): void {
    this.#storage = { ...this.#storage, ...storage };
    this.#show();
  }

  /** Adds a media item. */
  addMedia(uri: string, blob: Blob): void {
    this.#files.set(uri, blob);
  }

  /** Lets every call and every watch fail, until it is called without an error. */
  fail(error?: HaosError): void {
    this.#error = error;
    this.#show();
  }

  /** Holds answers back, and first values too, until {@link MemoryHaos.release}. */
  hold(): void {
    this.#held ??= [];
  }

  /** Gives the answers that were held back, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const answer of held) answer();
    this.#show();
  }

  /** What is watched now, such as `rooms {}` or `timeline !lobby:haos.test`, once for each watch. */
  get watches(): string[] {
    return [...this.#watches.values()];
  }

  /** A room's items, those that no timeline shows included. */
  items(room: RoomId): readonly TimelineItem[] {
    return this.#rooms.get(room)?.items ?? [];
  }

  // What a frontend asks for.

  account(): Promise<Account | null> {
    return this.act(() => this.#account);
  }

  login(server: string, login: Login): Promise<Account> {
    return this.act(() => {
      const user = "user" in login ? login.user : "ada";
      const id = user.startsWith("@") ? user : `@${user}:haos.test`;
      return (this.#account = { user: id, device: "TEST", server, isLoggedIn: true });
    });
  }

  logout(): Promise<void> {
    return this.forgetLogin();
  }

  forgetLogin(): Promise<void> {
    return this.act(() => {
      if (this.#account !== null) this.#account = { ...this.#account, isLoggedIn: false };
      this.setConnection({ state: "logged_out" });
    });
  }

  start(): Promise<void> {
    return this.act(() => {});
  }

  stop(): Promise<void> {
    return this.act(() => {});
  }

  tryNow(): Promise<void> {
    return this.act(() => this.#deliver());
  }

  rooms(query: RoomQuery = {}, options?: RoomsOptions): LiveRooms {
    const all = (): readonly RoomItem[] =>
      [...this.#rooms.values()]
        .map(({ item }) => item)
        .filter((room) => isWanted(room, query))
        .sort((a, b) => b.lastActivityMs - a.lastActivityMs);
    return this.#watch(`rooms ${JSON.stringify(query)}`, (onClose) => {
      const rooms = new MemoryRooms(all, onClose, options);
      return [rooms, rooms];
    });
  }

  timeline(room: RoomId, options?: TimelineOptions): MemoryTimeline {
    return this.#watch(`timeline ${room}`, (onClose) => {
      const timeline = new MemoryTimeline(this, room, onClose, options);
      return [timeline, timeline];
    });
  }

  outbox(options?: WatchOptions): LiveList<OutboxRow> {
    return this.#watch("outbox", (onClose) => {
      const list = new MemoryList<OutboxRow>(onClose, options);
      return [list, { show: () => list.set(this.#outbox()) }];
    });
  }

  connection(options?: WatchOptions): Live<ConnectionSummary> {
    return this.#value("connection", () => this.#connection, options);
  }

  syncProgress(options?: WatchOptions): Live<SyncProgress | null> {
    return this.#value("syncProgress", () => this.#progress, options);
  }

  storage(options?: WatchOptions): Live<StorageSummary> {
    return this.#value("storage", () => this.#storage, options);
  }

  typing(room: RoomId, options?: WatchOptions): Live<readonly UserId[]> {
    return this.#value(`typing ${room}`, () => this.#room(room).typing, options);
  }

  send(room: RoomId, message: string | Message): Promise<Done> {
    return this.act(() => {
      const txnId = `t${(this.#serial += 1)}`;
      this.#append(room, localItem(`i${this.#serial}`, txnId, this.#written(this.#me, message)));
      if (this.#connection.state === "live") this.#deliver();
      return { txnId };
    });
  }

  sendFile(room: RoomId, file: Blob, facts: FileFacts = {}): Promise<Upload> {
    return this.act(() => {
      const txnId = `t${(this.#serial += 1)}`;
      const body = facts.name ?? "file";
      this.#append(room, localItem(`i${this.#serial}`, txnId, this.#written(this.#me, body)));
      this.#uploads.set(txnId, { sentBytes: 0, totalBytes: file.size, error: null, status: "waiting" });
      if (this.#connection.state === "live") this.#deliver();
      return this.upload(txnId);
    });
  }

  upload(txnId: TxnId): Upload {
    const none: UploadProgress = { sentBytes: 0, totalBytes: 0, error: null, status: "sent" };
    return {
      txnId,
      progress: (options) => this.#value(`upload ${txnId}`, () => this.#uploads.get(txnId) ?? none, options),
      pause: () => this.act(() => {}),
      retry: () => this.act(() => this.#deliver()),
      cancel: () => this.cancel(txnId),
    };
  }

  /** Says how far an upload is. */
  setUpload(txnId: TxnId, progress: UploadProgress): void {
    this.#uploads.set(txnId, progress);
    this.#show();
  }

  edit(room: RoomId, target: Target, message: string | Message): Promise<void> {
    const { body } = typeof message === "string" ? { body: message } : message;
    return this.#change(room, target, (item) => ({
      ...item,
      content: { type: "text", body, formatted: null },
      edited: { timestampMs: this.#now(), sending: null },
    }));
  }

  async react(room: RoomId, target: Target, key: string): Promise<Done> {
    await this.#change(room, target, (item) => {
      const reaction = { key, count: 1, senders: [this.#me], isOwn: true, sending: null };
      return { ...item, reactions: [...item.reactions, reaction] };
    });
    return { txnId: `t${(this.#serial += 1)}` };
  }

  /** Takes a reaction back. */
  unreact(room: RoomId, target: Target, key: string): Promise<void> {
    return this.#change(room, target, (item) => ({
      ...item,
      reactions: item.reactions.filter((reaction) => reaction.key !== key || !reaction.isOwn),
    }));
  }

  redact(room: RoomId, target: Target): Promise<void> {
    return this.#change(room, target, (item) => ({
      ...item,
      content: { type: "unknown", body: null },
      isRedacted: true,
    }));
  }

  retry(_txnId: TxnId): Promise<void> {
    return this.act(() => this.#deliver());
  }

  retryAll(): Promise<number> {
    return this.act(() => {
      const unsent = this.#outbox().length;
      this.#deliver();
      return unsent;
    });
  }

  cancel(txnId: TxnId): Promise<void> {
    return this.act(() => {
      for (const room of this.#rooms.values()) {
        room.items = room.items.filter((item) => !(item.type === "local" && item.txnId === txnId));
      }
      this.#show();
    });
  }

  room(room: RoomId): Promise<RoomInfo> {
    return this.act(() => {
      const { item, topic } = this.#room(room);
      const { id, name, avatar, membership, unread, mentions, lastActivityMs } = item;
      return { id, name, topic, avatar, isSpace: false, spaces: [], membership, unread, mentions, lastActivityMs };
    });
  }

  members(room: RoomId): Promise<Members> {
    return this.act(() => ({
      members: this.#room(room).members.map((id) => ({ ...profile(id), membership: "join" as const })),
      isComplete: true,
      problem: null,
    }));
  }

  markRead(room: RoomId): Promise<void> {
    return this.act(() => this.changeRoom(room, { unread: 0, mentions: 0 }));
  }

  setTyping(): Promise<void> {
    return this.act(() => {});
  }

  draft(room: RoomId): Promise<SavedDraft | null> {
    return this.act(() => this.#room(room).draft);
  }

  setDraft(room: RoomId, draft: DraftToKeep | null): Promise<void> {
    return this.act(() => {
      this.#room(room).draft =
        draft === null ? null : { text: draft.text, replyTo: draft.replyTo ?? null, editOf: draft.editOf ?? null };
      this.changeRoom(room, { hasDraft: draft !== null });
    });
  }

  join(room: string): Promise<RoomId> {
    return this.act(() => {
      if (!this.#rooms.has(room)) this.addRoom(room);
      this.changeRoom(room, { membership: "join" });
      return room;
    });
  }

  leave(room: RoomId): Promise<void> {
    return this.act(() => this.changeRoom(room, { membership: "leave" }));
  }

  invite(room: RoomId, user: UserId): Promise<void> {
    return this.act(() => void this.#room(room).members.push(user));
  }

  removeMember(room: RoomId, user: UserId): Promise<void> {
    return this.act(() => {
      const to = this.#room(room);
      to.members = to.members.filter((member) => member !== user);
    });
  }

  createRoom({ name, invite = [] }: NewRoom): Promise<RoomId> {
    return this.act(() => {
      const id = `!r${(this.#serial += 1)}:haos.test`;
      this.addRoom(id, { ...(name === undefined ? {} : { name }), members: invite });
      return id;
    });
  }

  media(uri: string): Promise<Blob> {
    return this.act(() => {
      const blob = this.#files.get(uri);
      if (blob === undefined) throw new HaosError({ code: "not_found", message: `there is no media item ${uri}` });
      return blob;
    });
  }

  recovery(): Promise<null> {
    return this.act(() => null);
  }

  clear(): Promise<Cleared> {
    return this.act(() => ({ unsent: 0, media: 0, mediaBytes: 0, messages: 0, rooms: 0, freedBytes: 0 }));
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const watch of [...this.#watches.keys()]) (watch as Partial<Live<unknown>>).close?.();
    return Promise.resolve();
  }

  /** Does something, or fails as the test wants it; later, where answers are held back. @internal */
  async act<T>(does: () => T): Promise<T> {
    const { promise, resolve } = later();
    if (this.#held === undefined) resolve();
    else this.#held.push(resolve);
    await promise;
    if (this.isClosed) throw new HaosError({ code: "closed", message: "the chat is closed: open it again" });
    if (this.#error !== undefined) throw this.#error;
    return does();
  }

  get #me(): UserId {
    return this.#account?.user ?? "@nobody:haos.test";
  }

  #room(id: RoomId): Room {
    const room = this.#rooms.get(id);
    if (room === undefined) throw new HaosError({ code: "not_found", message: `there is no room ${id}: add it` });
    return room;
  }

  #written(sender: UserId, message: string | Message) {
    return {
      sender: profile(sender),
      isOwn: sender === this.#me,
      timestampMs: this.#now(),
      message: typeof message === "string" ? { body: message } : message,
    };
  }

  #append(id: RoomId, item: MessageItem): void {
    const room = this.#room(id);
    room.items.push(item);
    const unread = room.item.unread + (item.isOwn ? 0 : 1);
    room.item = { ...room.item, unread, lastActivityMs: item.timestampMs };
    this.#show();
  }

  #change(room: RoomId, target: Target, change: (item: MessageItem) => MessageItem): Promise<void> {
    return this.act(() => {
      const to = this.#room(room);
      to.items = to.items.map((item) => (isTarget(item, target) ? change(item) : item));
      this.#show();
    });
  }

  #outbox(): OutboxRow[] {
    return [...this.#rooms].flatMap(([room, { items }]) =>
      items.flatMap((item) => {
        if (item.type !== "local") return [];
        const { txnId, kind, error, timestampMs: createdMs, content, status } = item;
        const text = "body" in content ? (content.body ?? "") : "";
        let row = this.#rows.get(item);
        if (row === undefined) this.#rows.set(item, (row = { txnId, room, kind, text, error, createdMs, ...status }));
        return [row];
      }),
    );
  }

  #deliver(): void {
    for (const room of this.#rooms.values()) {
      room.items = room.items.map((item) => {
        if (item.type !== "local") return item;
        const { status: _, error: __, ...rest } = item;
        const upload = this.#uploads.get(item.txnId);
        if (upload !== undefined) {
          this.#uploads.set(item.txnId, { ...upload, sentBytes: upload.totalBytes, status: "sent" });
        }
        return { ...rest, type: "event", eventId: `$${item.txnId}`, receipts: [] };
      });
    }
    this.#show();
  }

  #value<T>(name: string, read: () => T, options?: WatchOptions): Live<T> {
    return this.#watch(name, (onClose) => {
      const live = new MemoryLive<T>(onClose, options);
      return [live, { show: () => live.set(read()) }];
    });
  }

  /** Begins to watch: the first value comes a moment later, as it does from an engine. */
  #watch<L extends Watch>(name: string, make: (onClose: () => void) => [L, { show(): void }]): L {
    const [live, shown] = make(() => void this.#watches.delete(watch));
    let isFirst = true;
    const watch = {
      close: () => live.close(),
      show: () => {
        if (isFirst || this.#held !== undefined) return;
        if (this.#error === undefined) shown.show();
        else live.fail(this.#error);
      },
    };
    this.#watches.set(watch, name);
    queueMicrotask(() => {
      isFirst = false;
      watch.show();
    });
    return live;
  }

  #show(): void {
    const unsent = this.#outbox().length;
    if (unsent !== this.#connection.unsent) {
      this.#connection = { ...this.#connection, unsent, isSettled: unsent === 0 };
    }
    for (const watch of [...this.#watches.keys()]) watch.show();
  }
}

function isWanted(room: RoomItem, query: RoomQuery): boolean {
  const membership = query.membership ?? "join";
  if (membership !== "all" && room.membership !== membership) return false;
  if (query.unread === true && room.unread === 0 && !room.isMarkedUnread) return false;
  if (query.favourites !== undefined && room.isFavourite !== query.favourites) return false;
  if (query.direct !== undefined && room.direct.length > 0 !== query.direct) return false;
  return query.name === undefined || room.name.toLowerCase().includes(query.name.toLowerCase());
}

function isTarget(item: TimelineItem, target: Target): item is MessageItem {
  if (item.type !== "event" && item.type !== "local") return false;
  return "txnId" in target ? item.txnId === target.txnId : item.type === "event" && item.eventId === target.eventId;
}

function profile(id: UserId): Profile {
  const local = id.slice(1).split(":")[0] ?? id;
  return { id, name: local.charAt(0).toUpperCase() + local.slice(1), avatar: null };
}

function later(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
