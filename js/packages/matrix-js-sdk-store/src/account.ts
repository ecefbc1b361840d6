// All that the syncs so far leave, room by room.

import type { Kept, KeptName } from "@haos/client";

import { type Cut, Joined, type JoinedJson, type RoomTexts } from "./joined.js";
import { copy, type RawEvent, type RawJoined, type RawStripped, type RawSync } from "./json.js";
import { KINDS } from "./kinds.js";
import type { Rows } from "./rows.js";

/** Where the sync stands. */
interface SyncRow {
  readonly token: string;
  /** The number of joined rooms: of a store that lost some, a fresh sync is better. */
  readonly rooms: number;
  readonly nextSlot: number;
}

/** What is small and seldom changes. */
interface AccountRow {
  readonly data: Record<string, RawEvent>;
  readonly invite: Record<string, RawStripped>;
  readonly knock: Record<string, RawStripped>;
}

/** The saved sync, as the SDK takes it. */
export interface SavedSync {
  readonly nextBatch: string;
  readonly roomsData: {
    readonly join: Record<string, JoinedJson>;
    readonly invite: Record<string, RawStripped>;
    readonly knock: Record<string, RawStripped>;
    readonly leave: Record<string, never>;
  };
  readonly accountData: RawEvent[];
}

/** A saved sync, and what it leaves out, by room. */
export interface Saved {
  readonly sync: SavedSync;
  readonly cuts: ReadonlyMap<string, Cut>;
}

/** The rows that an account is read from, in this order. */
export const READ = [KINDS.sync, KINDS.account, KINDS.room, KINDS.state, KINDS.receipts] as const;

/** What the syncs so far leave. */
export class Account {
  /** The events of a room that are given at the start. */
  readonly #newest: number;
  #token: string | null = null;
  #nextSlot = 0;
  #data: Record<string, RawEvent> = Object.create(null);
  #invite = new Map<string, RawStripped>();
  #knock = new Map<string, RawStripped>();
  /** A room whose texts were read stays text until a sync says something of it. */
  readonly #rooms = new Map<string, Joined | RoomTexts>();
  readonly #changed = new Set<string>();
  #gone: KeptName[] = [];
  #hasNewData = false;
  #hasNewToken = false;

  constructor(newest: number) {
    this.#newest = newest;
  }

  /** Reads an account from its rows; an empty one if some are missing. */
  static read(lists: readonly Kept[][], newest: number): Account {
    const [syncs = [], owns = [], heads = [], states = [], receipts = []] = lists;
    const [[sync], [own]] = [syncs, owns];
    const account = new Account(newest);
    if (sync === undefined) return account;
    const { token, rooms, nextSlot } = JSON.parse(sync.text) as SyncRow;
    account.#nextSlot = nextSlot;
    if (heads.length !== rooms || own === undefined) return account;
    const byName = [states, receipts].map((rows) => new Map(rows.map(({ name, text }) => [name, text])));
    for (const { name, text: head } of heads) {
      const { slot, ...counts } = Joined.rowsOf(head);
      const [states = [], receipts = []] = [counts.states, counts.receipts].map((count, n) =>
        Array.from({ length: count }, (_, page) => byName[n]?.get(`${slot}.${page}`)),
      );
      if (!areThere(states) || !areThere(receipts)) return new Account(newest);
      account.#rooms.set(name, { head, states, receipts });
    }
    const { data, invite, knock } = JSON.parse(own.text) as AccountRow;
    account.#token = token;
    account.#isKept = true;
    account.#data = Object.assign(Object.create(null) as object, data) as Record<string, RawEvent>;
    account.#invite = new Map(Object.entries(invite));
    account.#knock = new Map(Object.entries(knock));
    return account;
  }

  /** The token from which the next sync goes on; null before the first one. */
  get token(): string | null {
    return this.#token;
  }

  /** Takes a sync. */
  take(sync: RawSync, now: number): void {
    const { rooms, account_data: data } = copy({ rooms: sync.rooms, account_data: sync.account_data });
    for (const [id, { invite_state: state }] of Object.entries(rooms?.invite ?? {})) {
      this.#knock.delete(id);
      stripped(this.#invite, id, "invite_state", state);
      this.#hasNewData = true;
    }
    for (const [id, joined] of Object.entries(rooms?.join ?? {})) this.#join(id, joined, now);
    for (const id of Object.keys(rooms?.leave ?? {})) this.#leave(id);
    for (const [id, { knock_state: state }] of Object.entries(rooms?.knock ?? {})) {
      stripped(this.#knock, id, "knock_state", state);
      this.#hasNewData = true;
    }
    for (const event of data?.events ?? []) {
      this.#data[event.type] = event;
      this.#hasNewData = true;
    }
    this.#token = sync.next_batch;
    this.#hasNewToken = true;
  }

  /** All of it, with the newest events of rooms; null before the first sync. */
  saved(now: number): Saved | null {
    if (this.#token === null) return null;
    const join: Record<string, JoinedJson> = Object.create(null);
    const cuts = new Map<string, Cut>();
    for (const [id, held] of this.#rooms) {
      // What is given away is the SDK's to change: a room that was read for this alone, or a copy.
      const room = held instanceof Joined ? held : Joined.read(held, this.#newest);
      const given = <T>(value: T): T => (held instanceof Joined ? copy(value) : value);
      join[id] = given(room.json(id, now));
      if (room.cut !== undefined) cuts.set(id, given(room.cut));
    }
    const rest = copy({ invite: Object.fromEntries(this.#invite), knock: Object.fromEntries(this.#knock) });
    const roomsData = { join, ...rest, leave: {} };
    const accountData = copy(Object.values(this.#data));
    return { sync: { nextBatch: this.#token, roomsData, accountData }, cuts };
  }

  /** A room to change; undefined if the user is not in it. */
  room(id: string): Joined | undefined {
    const room = this.#rooms.get(id);
    if (room === undefined || room instanceof Joined) return room;
    const read = Joined.read(room, this.#newest);
    this.#rooms.set(id, read);
    return read;
  }

  /** Forgets events of a room, of which `older` are those in rows of their own. */
  forget(id: string, events: ReadonlySet<string>, older: RawEvent[]): void {
    this.room(id)?.forget(events, older);
    this.#changed.add(id);
  }

  /** Puts the rows that changed where they wait to be kept. */
  changes(rows: Rows): void {
    for (const name of this.#gone) rows.remove(name);
    this.#gone = [];
    for (const id of this.#changed) {
      const { put, remove } = this.room(id)?.changes(id) ?? { put: [], remove: [] };
      for (const name of remove) rows.remove(name);
      for (const row of put) rows.put(row);
    }
    this.#changed.clear();
    if (this.#hasNewData || this.#hasNewToken) {
      const [data, invite, knock] = [this.#data, Object.fromEntries(this.#invite), Object.fromEntries(this.#knock)];
      const own: AccountRow = { data, invite, knock };
      // It is never missing, so that one that is lost is noticed.
      if (this.#hasNewData || !this.#isKept) rows.put({ kind: KINDS.account, name: "", text: JSON.stringify(own) });
      const sync: SyncRow = { token: this.#token ?? "", rooms: this.#rooms.size, nextSlot: this.#nextSlot };
      rows.put({ kind: KINDS.sync, name: "", text: JSON.stringify(sync) });
      this.#isKept = true;
    }
    this.#hasNewData = this.#hasNewToken = false;
  }

  /** True once its own row was given to be kept, or was read. */
  #isKept = false;

  #join(id: string, data: RawJoined, now: number): void {
    if (this.#knock.delete(id) || this.#invite.delete(id)) this.#hasNewData = true;
    let room = this.room(id);
    if (room === undefined) this.#rooms.set(id, (room = new Joined(this.#nextSlot++, this.#newest)));
    room.take(data, now);
    this.#changed.add(id);
  }

  #leave(id: string): void {
    if (this.#knock.delete(id) || this.#invite.delete(id)) {
      this.#hasNewData = true;
      return;
    }
    const room = this.room(id);
    if (room === undefined) return;
    this.#gone.push(...room.rows(id));
    this.#rooms.delete(id);
    this.#changed.delete(id);
  }
}

const areThere = (texts: readonly (string | undefined)[]): texts is readonly string[] => !texts.includes(undefined);

/** Merges stripped state of a room, by type and key. */
function stripped(
  all: Map<string, RawStripped>,
  id: string,
  part: "invite_state" | "knock_state",
  state: { events: RawEvent[] } | undefined,
): void {
  if (!state?.events) return;
  const events = all.get(id)?.[part]?.events;
  if (events === undefined) return void all.set(id, { [part]: state });
  for (const event of state.events) {
    const at = events.findIndex(({ type, state_key: key }) => type === event.type && key === event.state_key);
    if (at < 0) events.push(event);
    else events[at] = event;
  }
}
