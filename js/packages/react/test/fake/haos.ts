import {
  HaosError,
  type Account,
  type Cleared,
  type ConnectionSummary,
  type Done,
  type DraftToKeep,
  type EngineMedia,
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
  type RoomId,
  type RoomInfo,
  type RoomItem,
  type RoomQuery,
  type RoomsOptions,
  type SavedDraft,
  type StorageSummary,
  type SyncProgress,
  type Target,
  type TimelineOptions,
  type TxnId,
  type Upload,
  type UploadProgress,
  type UserId,
  type WatchOptions,
} from "@haos/client";

import { FakeList } from "./live.js";
import { localItem } from "./items.js";
import { FakeTimeline } from "./timeline.js";
import { FakeWorld, profile } from "./world.js";

/** A list of rooms, as many as it shows. */
class FakeRooms extends FakeList<RoomItem> implements LiveRooms {
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
 * const haos = new FakeHaos();
 * haos.addRoom("!lobby:haos.test", { name: "Lobby" });
 * haos.receive("!lobby:haos.test", "@bob:haos.test", "hello");
 * render(<HaosProvider client={haos}><App /></HaosProvider>);
 * ```
 */
export class FakeHaos extends FakeWorld implements Haos {
  account(): Promise<Account | null> {
    return this.act(() => this.accountNow);
  }

  login(server: string, login: Login): Promise<Account> {
    return this.act(() => {
      const user = "user" in login ? login.user : "ada";
      const id = user.startsWith("@") ? user : `@${user}:haos.test`;
      return (this.accountNow = { user: id, device: "TEST", server, isLoggedIn: true });
    });
  }

  logout(): Promise<void> {
    return this.forgetLogin();
  }

  forgetLogin(): Promise<void> {
    return this.act(() => {
      if (this.accountNow !== null) this.accountNow = { ...this.accountNow, isLoggedIn: false };
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
    return this.act(() => this.deliver());
  }

  rooms(query: RoomQuery = {}, options?: RoomsOptions): LiveRooms {
    const all = (): readonly RoomItem[] =>
      [...this.roomsById.values()]
        .map(({ item }) => item)
        .filter((room) => isWanted(room, query))
        .sort((a, b) => b.lastActivityMs - a.lastActivityMs);
    return this.watch(`rooms ${JSON.stringify(query)}`, (onClose) => {
      const rooms = new FakeRooms(all, onClose, options);
      return [rooms, rooms];
    });
  }

  timeline(room: RoomId, options?: TimelineOptions): FakeTimeline {
    return this.watch(`timeline ${room}`, (onClose) => {
      const timeline = new FakeTimeline(this, room, onClose, options);
      return [timeline, timeline];
    });
  }

  outbox(options?: WatchOptions): LiveList<OutboxRow> {
    return this.watch("outbox", (onClose) => {
      const list = new FakeList<OutboxRow>(onClose, options);
      return [list, { show: () => list.set(this.unsent()) }];
    });
  }

  connection(options?: WatchOptions): Live<ConnectionSummary> {
    return this.watchValue("connection", () => this.connectionNow, options);
  }

  syncProgress(options?: WatchOptions): Live<SyncProgress | null> {
    return this.watchValue("syncProgress", () => this.progressNow, options);
  }

  storage(options?: WatchOptions): Live<StorageSummary> {
    return this.watchValue("storage", () => this.storageNow, options);
  }

  typing(room: RoomId, options?: WatchOptions): Live<readonly UserId[]> {
    return this.watchValue(`typing ${room}`, () => this.roomOf(room).typing, options);
  }

  send(room: RoomId, message: string | Message): Promise<Done> {
    return this.act(() => {
      const txnId = `t${(this.serial += 1)}`;
      this.append(room, localItem(`i${this.serial}`, txnId, this.written(this.me, message)));
      if (this.connectionNow.state === "live") this.deliver();
      return { txnId };
    });
  }

  sendFile(room: RoomId, file: Blob, facts: FileFacts = {}): Promise<Upload> {
    return this.act(() => {
      const txnId = `t${(this.serial += 1)}`;
      const body = facts.name ?? "file";
      this.append(room, localItem(`i${this.serial}`, txnId, this.written(this.me, body)));
      this.uploads.set(txnId, { sentBytes: 0, totalBytes: file.size, error: null, status: "waiting" });
      if (this.connectionNow.state === "live") this.deliver();
      return this.upload(txnId);
    });
  }

  upload(txnId: TxnId): Upload {
    const none: UploadProgress = { sentBytes: 0, totalBytes: 0, error: null, status: "sent" };
    return {
      txnId,
      progress: (options) => this.watchValue(`upload ${txnId}`, () => this.uploads.get(txnId) ?? none, options),
      pause: () => this.act(() => {}),
      retry: () => this.act(() => this.deliver()),
      cancel: () => this.cancel(txnId),
    };
  }

  /** Says how far an upload is. */
  setUpload(txnId: TxnId, progress: UploadProgress): void {
    this.uploads.set(txnId, progress);
    this.show();
  }

  edit(room: RoomId, target: Target, message: string | Message): Promise<void> {
    const { body } = typeof message === "string" ? { body: message } : message;
    return this.change(room, target, (item) => ({
      ...item,
      content: { type: "text", body, formatted: null },
      edited: { timestampMs: this.now(), sending: null },
    }));
  }

  async react(room: RoomId, target: Target, key: string): Promise<Done> {
    await this.change(room, target, (item) => {
      const reaction = { key, count: 1, senders: [this.me], isOwn: true, sending: null };
      return { ...item, reactions: [...item.reactions, reaction] };
    });
    return { txnId: `t${(this.serial += 1)}` };
  }

  /** Takes a reaction back. */
  unreact(room: RoomId, target: Target, key: string): Promise<void> {
    return this.change(room, target, (item) => ({
      ...item,
      reactions: item.reactions.filter((reaction) => reaction.key !== key || !reaction.isOwn),
    }));
  }

  redact(room: RoomId, target: Target): Promise<void> {
    return this.change(room, target, (item) => ({
      ...item,
      content: { type: "unknown", body: null },
      isRedacted: true,
    }));
  }

  retry(_txnId: TxnId): Promise<void> {
    return this.act(() => this.deliver());
  }

  retryAll(): Promise<number> {
    return this.act(() => {
      const unsent = this.unsent().length;
      this.deliver();
      return unsent;
    });
  }

  cancel(txnId: TxnId): Promise<void> {
    return this.act(() => {
      for (const room of this.roomsById.values()) {
        room.items = room.items.filter((item) => !(item.type === "local" && item.txnId === txnId));
      }
      this.show();
    });
  }

  room(room: RoomId): Promise<RoomInfo> {
    return this.act(() => {
      const { item, topic } = this.roomOf(room);
      const { id, name, avatar, membership, unread, mentions, lastActivityMs } = item;
      return { id, name, topic, avatar, isSpace: false, spaces: [], membership, unread, mentions, lastActivityMs };
    });
  }

  members(room: RoomId): Promise<Members> {
    return this.act(() => ({
      members: this.roomOf(room).members.map((id) => ({ ...profile(id), membership: "join" as const })),
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
    return this.act(() => this.roomOf(room).draft);
  }

  setDraft(room: RoomId, draft: DraftToKeep | null): Promise<void> {
    return this.act(() => {
      this.roomOf(room).draft =
        draft === null ? null : { text: draft.text, replyTo: draft.replyTo ?? null, editOf: draft.editOf ?? null };
      this.changeRoom(room, { hasDraft: draft !== null });
    });
  }

  join(room: string): Promise<RoomId> {
    return this.act(() => {
      if (!this.roomsById.has(room)) this.addRoom(room);
      this.changeRoom(room, { membership: "join" });
      return room;
    });
  }

  leave(room: RoomId): Promise<void> {
    return this.act(() => this.changeRoom(room, { membership: "leave" }));
  }

  invite(room: RoomId, user: UserId): Promise<void> {
    return this.act(() => void this.roomOf(room).members.push(user));
  }

  removeMember(room: RoomId, user: UserId): Promise<void> {
    return this.act(() => {
      const to = this.roomOf(room);
      to.members = to.members.filter((member) => member !== user);
    });
  }

  createRoom({ name, invite = [] }: NewRoom): Promise<RoomId> {
    return this.act(() => {
      const id = `!r${(this.serial += 1)}:haos.test`;
      this.addRoom(id, { ...(name === undefined ? {} : { name }), members: invite });
      return id;
    });
  }

  async mediaPart(uri: string, { start = 0, end }: { start?: number; end?: number } = {}): Promise<EngineMedia> {
    const blob = await this.media(uri);
    const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
    return { bytes, mime: blob.type, size: blob.size };
  }

  media(uri: string): Promise<Blob> {
    return this.act(() => {
      const blob = this.files.get(uri);
      if (blob === undefined) throw new HaosError({ code: "not_found", message: `there is no media item ${uri}` });
      return blob;
    });
  }

  recovery(): Promise<null> {
    return this.act(() => null);
  }

  kept(): Promise<[]> {
    return this.act(() => []);
  }

  keep(): Promise<void> {
    return this.act(() => {});
  }

  heldBack(): Promise<[]> {
    return this.act(() => []);
  }

  clear(): Promise<Cleared> {
    return this.act(() => ({ unsent: 0, media: 0, mediaBytes: 0, messages: 0, rooms: 0, freedBytes: 0 }));
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const watch of [...this.watching.keys()]) (watch as Partial<Live<unknown>>).close?.();
    return Promise.resolve();
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
