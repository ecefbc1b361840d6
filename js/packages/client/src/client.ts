import { type Engine, type EngineMedia, Keeper, type StartEngine } from "./engine.js";
import { ListWatcher, type Live, type LiveList, ValueWatcher, type WatchOptions } from "./live.js";
import { type LiveRooms, type RoomsOptions, RoomsWatcher } from "./rooms.js";
import { type LiveTimeline, messageOf, type TimelineOptions, TimelineWatcher } from "./timeline.js";
import type {
  Account,
  Call,
  Clear,
  Cleared,
  ConnectionSummary,
  Done,
  EventId,
  FileFacts,
  HeldBack,
  Kept,
  KeptWanted,
  Login,
  MediaUri,
  MediaWanted,
  Members,
  Message,
  OutboxRow,
  RecoveryReport,
  RoomId,
  RoomInfo,
  RoomQuery,
  SavedDraft,
  StorageSummary,
  SyncProgress,
  Target,
  TxnId,
  UploadProgress,
  UserId,
  Watched,
} from "./wire.js";

/** A room to make. */
export type NewRoom = Omit<Extract<Call, { call: "createRoom" }>, "call">;

/** Texts to keep and to remove, and what the outbox is to hold for one that sends by itself. */
export type Keep = Omit<Extract<Call, { call: "keep" }>, "call">;

/** A draft to keep. */
export interface DraftToKeep {
  /** Its text. */
  readonly text: string;
  /** The message that it answers. */
  readonly replyTo?: EventId | undefined;
  /** The message that it edits. */
  readonly editOf?: EventId | undefined;
}

/** A file on its way. */
export interface Upload {
  /** The transaction of its message. */
  readonly txnId: TxnId;
  /** How far it is. */
  progress(options?: WatchOptions): Live<UploadProgress>;
  /** Pauses it until `retry`. */
  pause(): Promise<void>;
  /** Goes on with it, at once. */
  retry(): Promise<void>;
  /** Takes it back. */
  cancel(): Promise<void>;
}

/**
 * An open chat. What is read is there without a network; what is written is on the disk when a call resolves, and is
 * sent once.
 *
 * Every method rejects with a {@link HaosError}.
 */
export interface Haos {
  /** Who is logged in, as far as is known here; null before the first login. */
  account(): Promise<Account | null>;
  /** Logs in on the homeserver at a base url or of a server name. */
  login(server: string, login: Login): Promise<Account>;
  /** Ends the session, there and here. Rooms and messages stay. */
  logout(): Promise<void>;
  /** Ends the session here alone, without a request. */
  forgetLogin(): Promise<void>;
  /** Syncs and sends from now on, where the chat was opened held. */
  start(): Promise<void>;
  /** Stops syncing and sending. Reading and writing go on. */
  stop(): Promise<void>;
  /** Tries everything that waits at once. */
  tryNow(): Promise<void>;

  /** The rooms that a query chooses, the latest first: those joined, if nothing is said. */
  rooms(query?: RoomQuery, options?: RoomsOptions): LiveRooms;
  /** The timeline of a room. */
  timeline(room: RoomId, options?: TimelineOptions): LiveTimeline;
  /** What is unsent, in the order of sending. */
  outbox(options?: WatchOptions): LiveList<OutboxRow>;
  /** The connection, with the number of unsent messages. */
  connection(options?: WatchOptions): Live<ConnectionSummary>;
  /** How far the first sync is; null when it is not under way. */
  syncProgress(options?: WatchOptions): Live<SyncProgress | null>;
  /** The storage: its level, and what was evicted. */
  storage(options?: WatchOptions): Live<StorageSummary>;
  /** Who else types in a room. */
  typing(room: RoomId, options?: WatchOptions): Live<readonly UserId[]>;

  /** Sends a text. */
  send(room: RoomId, message: string | Message): Promise<Done>;
  /** Sends a file. */
  sendFile(room: RoomId, file: Blob, facts?: FileFacts): Promise<Upload>;
  /** A file that was sent, by the transaction of its message, as after a reload. */
  upload(txnId: TxnId): Upload;
  /** Gives a message of the user's own another text, sent or not. */
  edit(room: RoomId, target: Target, message: string | Message): Promise<void>;
  /** Reacts to a message. */
  react(room: RoomId, target: Target, key: string): Promise<Done>;
  /** Takes a message back, sent or not. */
  redact(room: RoomId, target: Target, reason?: string): Promise<void>;
  /** Tries an unsent message again. */
  retry(txnId: TxnId): Promise<void>;
  /** Tries all that was parked again. Returns their number. */
  retryAll(): Promise<number>;
  /** Gives an unsent message up. */
  cancel(txnId: TxnId): Promise<void>;

  /** What is known of a room. */
  room(room: RoomId): Promise<RoomInfo>;
  /** The members of a room. */
  members(room: RoomId): Promise<Members>;
  /** Marks a room as read up to an event; with `isPrivate` the others are not told. */
  markRead(room: RoomId, event: EventId, options?: { readonly isPrivate?: boolean }): Promise<void>;
  /** Tells the others that the user types, or stopped. Say it again while they go on. */
  setTyping(room: RoomId, isTyping: boolean): Promise<void>;
  /** The draft of a room; null without one. */
  draft(room: RoomId): Promise<SavedDraft | null>;
  /** Keeps a draft; null removes it. */
  setDraft(room: RoomId, draft: DraftToKeep | null): Promise<void>;
  /** Joins a room by its id or alias. Returns its id. */
  join(room: string): Promise<RoomId>;
  /** Leaves a room, or declines an invite. */
  leave(room: RoomId): Promise<void>;
  /** Asks somebody to join. */
  invite(room: RoomId, user: UserId): Promise<void>;
  /** Removes somebody. */
  removeMember(room: RoomId, user: UserId, reason?: string): Promise<void>;
  /** Makes a room. Returns its id. */
  createRoom(room: NewRoom): Promise<RoomId>;

  /** Reads a media item, from the store or the homeserver; a thumbnail where a size is named. */
  media(uri: MediaUri, wanted?: Omit<MediaWanted, "uri">): Promise<Blob>;
  /** The same, or the part from `start` to `end` of it, as bytes with their media type and the size of the whole. */
  mediaPart(uri: MediaUri, wanted?: Omit<MediaWanted, "uri">): Promise<EngineMedia>;
  /** Reads texts that a program keeps beside the chat, by their kinds: a list for each that is wanted. */
  kept(...of: readonly KeptWanted[]): Promise<Kept[][]>;
  /** Keeps such texts, removes others, and says what the program sends by itself, in one commit. */
  keep(what: Keep): Promise<void>;
  /** The rows of a room's outbox that wait for the user, since somebody else may send them still. */
  heldBack(room: RoomId): Promise<HeldBack[]>;
  /** What was carried over from a damaged store; null if there was none. */
  recovery(): Promise<RecoveryReport | null>;
  /** Removes what is stored. */
  clear(what: Clear): Promise<Cleared>;
  /** Closes it: what is under way has two seconds, what is unsent stays. */
  close(): Promise<void>;
}

/** Makes a chat over an engine, which is started now and anew when it is gone. Rejects if it does not start. */
export async function createClient(start: StartEngine): Promise<Haos> {
  const keeper = new Keeper(start);
  await keeper.engine();
  return new Client(keeper);
}

class OutboxWatcher extends ListWatcher<OutboxRow> {
  protected override what(): Watched {
    return { list: "outbox" };
  }
}

class Client implements Haos {
  readonly #keeper: Keeper;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  account(): Promise<Account | null> {
    return this.#read({ call: "account" });
  }

  login(server: string, login: Login): Promise<Account> {
    return this.#act({ call: "login", server, login });
  }

  logout(): Promise<void> {
    return this.#act({ call: "logout" });
  }

  forgetLogin(): Promise<void> {
    return this.#act({ call: "forgetLogin" });
  }

  start(): Promise<void> {
    return this.#read({ call: "start" });
  }

  stop(): Promise<void> {
    return this.#read({ call: "stop" });
  }

  tryNow(): Promise<void> {
    return this.#read({ call: "tryNow" });
  }

  rooms(query: RoomQuery = {}, options?: RoomsOptions): LiveRooms {
    return new RoomsWatcher(this.#keeper, query, options);
  }

  timeline(room: RoomId, options?: TimelineOptions): LiveTimeline {
    return new TimelineWatcher(this.#keeper, room, options);
  }

  outbox(options?: WatchOptions): LiveList<OutboxRow> {
    return new OutboxWatcher(this.#keeper, options);
  }

  connection(options?: WatchOptions): Live<ConnectionSummary> {
    return this.#watch({ list: "connection" }, options);
  }

  syncProgress(options?: WatchOptions): Live<SyncProgress | null> {
    return this.#watch({ list: "syncProgress" }, options);
  }

  storage(options?: WatchOptions): Live<StorageSummary> {
    return this.#watch({ list: "storage" }, options);
  }

  typing(room: RoomId, options?: WatchOptions): Live<readonly UserId[]> {
    return this.#watch({ list: "typing", room }, options);
  }

  send(room: RoomId, message: string | Message): Promise<Done> {
    // Named here, so that it may be asked for again when the answer was lost.
    return this.#read({ call: "send", room, message: messageOf(message), txnId: newTxnId() });
  }

  async sendFile(room: RoomId, file: Blob, facts: FileFacts = {}): Promise<Upload> {
    const name = facts.name ?? (file as Partial<File>).name;
    const mime = facts.mime ?? (file.type === "" ? undefined : file.type);
    const known = { ...facts, ...(name === undefined ? {} : { name }), ...(mime === undefined ? {} : { mime }) };
    const act = (engine: Engine) => engine.sendFile(room, JSON.stringify(known), file);
    return this.upload((JSON.parse(await this.#keeper.with(act, false)) as Done).txnId);
  }

  upload(txnId: TxnId): Upload {
    return {
      txnId,
      progress: (options) => this.#watch({ list: "upload", txnId }, options),
      pause: () => this.#act({ call: "pauseUpload", txnId }),
      retry: () => this.#act({ call: "retryUpload", txnId }),
      cancel: () => this.#act({ call: "cancel", txnId }),
    };
  }

  edit(room: RoomId, target: Target, message: string | Message): Promise<void> {
    return this.#act({ call: "editMessage", room, target, message: messageOf(message) });
  }

  react(room: RoomId, target: Target, key: string): Promise<Done> {
    return this.#act({ call: "reactTo", room, target, key });
  }

  redact(room: RoomId, target: Target, reason?: string): Promise<void> {
    return this.#act({ call: "redactMessage", room, target, ...(reason === undefined ? {} : { reason }) });
  }

  retry(txnId: TxnId): Promise<void> {
    return this.#act({ call: "retry", txnId });
  }

  retryAll(): Promise<number> {
    return this.#act({ call: "retryAll" });
  }

  cancel(txnId: TxnId): Promise<void> {
    return this.#act({ call: "cancel", txnId });
  }

  room(room: RoomId): Promise<RoomInfo> {
    return this.#read({ call: "room", room });
  }

  members(room: RoomId): Promise<Members> {
    return this.#read({ call: "members", room });
  }

  markRead(room: RoomId, event: EventId, options?: { readonly isPrivate?: boolean }): Promise<void> {
    return this.#read({ call: "markRead", room, event, isPrivate: options?.isPrivate ?? false });
  }

  setTyping(room: RoomId, isTyping: boolean): Promise<void> {
    return this.#read({ call: "typing", room, isTyping });
  }

  draft(room: RoomId): Promise<SavedDraft | null> {
    return this.#read({ call: "draft", room });
  }

  setDraft(room: RoomId, draft: DraftToKeep | null): Promise<void> {
    if (draft === null) return this.#read({ call: "clearDraft", room });
    const { text, replyTo, editOf } = draft;
    const about = { ...(replyTo === undefined ? {} : { replyTo }), ...(editOf === undefined ? {} : { editOf }) };
    return this.#read({ call: "setDraft", room, text, ...about });
  }

  join(room: string): Promise<RoomId> {
    return this.#act({ call: "join", room });
  }

  leave(room: RoomId): Promise<void> {
    return this.#act({ call: "leave", room });
  }

  invite(room: RoomId, user: UserId): Promise<void> {
    return this.#act({ call: "invite", room, user });
  }

  removeMember(room: RoomId, user: UserId, reason?: string): Promise<void> {
    return this.#act({ call: "removeMember", room, user, ...(reason === undefined ? {} : { reason }) });
  }

  createRoom(room: NewRoom): Promise<RoomId> {
    return this.#act({ call: "createRoom", ...room });
  }

  async media(uri: MediaUri, wanted?: Omit<MediaWanted, "uri">): Promise<Blob> {
    const { bytes, mime } = await this.mediaPart(uri, wanted);
    return new Blob([bytes], mime === undefined ? {} : { type: mime });
  }

  mediaPart(uri: MediaUri, wanted: Omit<MediaWanted, "uri"> = {}): Promise<EngineMedia> {
    const what: MediaWanted = { ...wanted, uri };
    return this.#keeper.with((engine) => engine.media(JSON.stringify(what)), true);
  }

  kept(...of: readonly KeptWanted[]): Promise<Kept[][]> {
    return this.#read({ call: "kept", of: [...of] });
  }

  keep(what: Keep): Promise<void> {
    // Said again it changes nothing.
    return this.#read({ call: "keep", ...what });
  }

  heldBack(room: RoomId): Promise<HeldBack[]> {
    return this.#read({ call: "heldBack", room });
  }

  recovery(): Promise<RecoveryReport | null> {
    return this.#read({ call: "recovery" });
  }

  clear(what: Clear): Promise<Cleared> {
    return this.#act({ call: "clear", what });
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }

  #watch<T>(what: Watched, options?: WatchOptions): Live<T> {
    return new ValueWatcher<T>(this.#keeper, what, options);
  }

  /** Makes a call that may be made again, should its answer be lost. */
  #read<T>(call: Call): Promise<T> {
    return this.#keeper.call(call, true);
  }

  /** Makes a call that is made once. */
  #act<T>(call: Call): Promise<T> {
    return this.#keeper.call(call, false);
  }
}

/** A transaction id, which no other has. */
function newTxnId(): TxnId {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `haos${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
