import type {
  ConnectionSummary,
  Haos,
  Live,
  Member,
  MediaUri,
  MediaWanted,
  OutboxRow,
  RoomId,
  StorageSummary,
  SyncProgress,
  TxnId,
  UploadProgress,
  UserId,
} from "@haos/client";

import { useOfHaos } from "./provider.js";
import { following, guard, LOADING, nothing, type Status } from "./state.js";
import { Cell } from "./store.js";

/** What is unsent. None of its functions rejects: what failed is in `error`. */
export interface OutboxState extends Status {
  /** The rows, in the order of sending. */
  readonly rows: readonly OutboxRow[];
  /** Tries a row again. */
  readonly retry: (txnId: TxnId) => Promise<unknown>;
  /** Tries all that was parked again. */
  readonly retryAll: () => Promise<unknown>;
  /** Gives a row up. */
  readonly cancel: (txnId: TxnId) => Promise<unknown>;
}

const NO_OUTBOX: OutboxState = { ...LOADING, rows: [], retry: nothing, retryAll: nothing, cancel: nothing };

/** What is unsent, in all rooms. */
export function useOutbox(): OutboxState {
  const make = (haos: Haos): Cell<OutboxState> => {
    const cell = following(haos.outbox(), NO_OUTBOX, (rows) => ({ rows }));
    cell.set({
      retry: guard(cell, (txnId: TxnId) => haos.retry(txnId)),
      retryAll: guard(cell, () => haos.retryAll()),
      cancel: guard(cell, (txnId: TxnId) => haos.cancel(txnId)),
    });
    return cell;
  };
  return useOfHaos("outbox", make, NO_OUTBOX);
}

/** A value; `undefined` until it was read. */
export interface ValueState<T> extends Status {
  readonly value: T | undefined;
}

const NO_VALUE: ValueState<never> = { ...LOADING, value: undefined };

function useValue<T>(name: string, watch: (haos: Haos) => Live<T>): ValueState<T> {
  const empty: ValueState<T> = NO_VALUE;
  return useOfHaos(name, (haos) => following(watch(haos), empty, (value) => ({ value })), empty);
}

/** The connection, with the number of unsent messages; `undefined` until it was read. */
export function useConnection(): ConnectionSummary | undefined {
  return useValue("connection", (haos) => haos.connection()).value;
}

/** How far the first sync is; null when it is not under way, `undefined` until that was read. */
export function useSyncProgress(): SyncProgress | null | undefined {
  return useValue("syncProgress", (haos) => haos.syncProgress()).value;
}

/** The storage: its level, and what was evicted; `undefined` until it was read. */
export function useStorage(): StorageSummary | undefined {
  return useValue("storage", (haos) => haos.storage()).value;
}

/** Who types in a room. */
export interface TypingState extends Status {
  /** The others who type. */
  readonly users: readonly UserId[];
  /** Tells the others that the user types, or stopped. Never rejects. */
  readonly setTyping: (isTyping: boolean) => Promise<unknown>;
}

const NO_TYPING: TypingState = { ...LOADING, users: [], setTyping: nothing };

/** Who else types in a room. */
export function useTyping(room: RoomId): TypingState {
  const make = (haos: Haos): Cell<TypingState> => {
    const cell = following(haos.typing(room), NO_TYPING, (users) => ({ users }));
    cell.set({ setTyping: guard(cell, (isTyping: boolean) => haos.setTyping(room, isTyping)) });
    return cell;
  };
  return useOfHaos(`typing ${room}`, make, NO_TYPING);
}

/** Reads what a cell is about, and again when the user wants it. */
function reading<S extends Status & { readonly reload: unknown }>(
  cell: Cell<S>,
  read: () => Promise<unknown>,
): Cell<S> {
  const reload = async (): Promise<void> => {
    await read();
    cell.set({ loading: false } as Partial<S>);
  };
  cell.set({ reload } as Partial<S>);
  void reload();
  return cell;
}

/** The members of a room. */
export interface MembersState extends Status {
  readonly members: readonly Member[];
  /** True if these are all. */
  readonly isComplete: boolean;
  /** Why they are not all, for the person. */
  readonly problem: string | undefined;
  /** Reads them again. Never rejects. */
  readonly reload: () => Promise<unknown>;
}

const NO_MEMBERS: MembersState = {
  ...LOADING,
  members: [],
  isComplete: false,
  problem: undefined,
  reload: nothing,
};

/** The members of a room, as they are when the first component asks, and after `reload`. */
export function useMembers(room: RoomId): MembersState {
  const make = (haos: Haos): Cell<MembersState> => {
    const cell = new Cell(NO_MEMBERS);
    const read = guard(cell, async () => {
      const { members, isComplete, problem } = await haos.members(room);
      cell.set({ members, isComplete, problem: problem ?? undefined });
    });
    return reading(cell, read);
  };
  return useOfHaos(`members ${room}`, make, NO_MEMBERS);
}

/** A file on its way. None of its functions rejects: what failed is in `error`. */
export interface UploadState extends Status {
  /** How far it is; `undefined` until that was read. */
  readonly progress: UploadProgress | undefined;
  /** Pauses it until `retry`. */
  readonly pause: () => Promise<unknown>;
  /** Goes on with it, at once. */
  readonly retry: () => Promise<unknown>;
  /** Takes it back. */
  readonly cancel: () => Promise<unknown>;
}

const NO_UPLOAD: UploadState = { ...LOADING, progress: undefined, pause: nothing, retry: nothing, cancel: nothing };

/** A file that was sent, by the transaction of its message. Nothing is watched for `undefined`. */
export function useUpload(txnId: TxnId | undefined): UploadState {
  const make = (haos: Haos): Cell<UploadState> => {
    if (txnId === undefined) return new Cell({ ...NO_UPLOAD, loading: false });
    const upload = haos.upload(txnId);
    const cell = following(upload.progress(), NO_UPLOAD, (progress) => ({ progress }));
    const { pause, retry, cancel } = upload;
    cell.set({ pause: guard(cell, pause), retry: guard(cell, retry), cancel: guard(cell, cancel) });
    return cell;
  };
  return useOfHaos(`upload ${txnId}`, make, NO_UPLOAD);
}

/** A media item that can be shown. */
export interface MediaUrlState extends Status {
  /** An address for `src`, which holds as long as a component uses it. */
  readonly url: string | undefined;
  /** Reads it again where that failed, such as without a network. Never rejects. */
  readonly reload: () => Promise<unknown>;
}

const NO_MEDIA: MediaUrlState = { ...LOADING, url: undefined, reload: nothing };

/** An address for a media item, or a thumbnail where a size is named. Nothing is read for `null` and `undefined`. */
export function useMediaUrl(uri: MediaUri | null | undefined, wanted: Omit<MediaWanted, "uri"> = {}): MediaUrlState {
  const make = (haos: Haos): Cell<MediaUrlState> => {
    if (!uri) return new Cell({ ...NO_MEDIA, loading: false });
    const cell = new Cell(NO_MEDIA);
    const read = guard(cell, async () => {
      const blob = await haos.media(uri, wanted);
      if (cell.isClosed || cell.get().url) return;
      const url = URL.createObjectURL(blob);
      cell.ends.push(() => URL.revokeObjectURL(url));
      cell.set({ url });
    });
    return reading(cell, read);
  };
  return useOfHaos(`media ${JSON.stringify([uri, wanted])}`, make, NO_MEDIA);
}
