// A joined room as the syncs so far leave it, and the rows that keep it.

import type { KeptName, ToKeep } from "@haos/client";

import type { RawEvent, RawJoined } from "./json.js";
import { KINDS } from "./kinds.js";
import { Pages } from "./pages.js";
import { type Receipt, receiptEvent, receiptKey, receiptsAmong } from "./receipts.js";

/** The events of a timeline that are kept at least. It is cut where the server gave a token to page back from. */
const LEAST = 50;
/** How long an event may be sticky, in milliseconds. */
const STICKY_MS = 3_600_000;

const AFTER = "org.matrix.msc4222.state_after";
const THREADS = "org.matrix.msc3773.unread_thread_notifications";

/** A room's own row. */
interface Head {
  readonly slot: number;
  /** The numbers of its rows of state and of receipts. */
  readonly states: number;
  readonly receipts: number;
  /** The index of the first event that is kept. An event's index in its room never changes. */
  readonly start: number;
  /** The indices at which rows of older events begin. */
  readonly older: number[];
  /** The index of the first event of the tail. */
  readonly tailFrom: number;
  readonly tail: RawEvent[];
  /** Where the server gave a token to page back from, and which. */
  readonly tokens: [index: number, token: string][];
  readonly summary: Record<string, unknown>;
  readonly unread: unknown;
  readonly threads: unknown;
  readonly account: Record<string, RawEvent>;
  readonly sticky: [event: RawEvent, until: number][];
}

/** The texts of a room's rows: its own, those of its state and those of its receipts. */
export interface RoomTexts {
  readonly head: string;
  readonly states: readonly string[];
  readonly receipts: readonly string[];
}

/** A joined room, as the SDK takes it. */
export interface JoinedJson {
  readonly timeline: { readonly events: RawEvent[]; readonly prev_batch: string | null };
  readonly [part: string]: unknown;
}

/** What a room's answer leaves out: the older events that are kept, and the token to page back from them. */
export interface Cut {
  readonly slot: number;
  /** The index of the first event that is left out, and of the first one that is not. */
  readonly from: number;
  readonly to: number;
  /** The rows that have them. */
  readonly rows: number[];
  /** Those of them that the room's own row has. */
  readonly events: RawEvent[];
  readonly token: string;
}

/** The rows that changed. */
export interface Changes {
  readonly put: ToKeep[];
  readonly remove: KeptName[];
}

/** A joined room. */
export class Joined {
  readonly slot: number;
  /** The newest events, so many to twice as many, are in the room's own row; older ones are in rows of their own. */
  readonly #newest: number;
  #start = 0;
  #older: number[] = [];
  #tailFrom = 0;
  #tail: RawEvent[] = [];
  #tokens = new Map<number, string>();
  #summary: Record<string, unknown> = {};
  #unread: unknown = {};
  #threads: unknown;
  #account: Record<string, RawEvent> = Object.create(null);
  #sticky: [RawEvent, number][] = [];
  readonly #state: Pages<RawEvent>;
  readonly #receipts: Pages<Receipt>;

  readonly #newRows = new Map<number, RawEvent[]>();
  readonly #goneRows = new Set<number>();

  constructor(
    slot: number,
    newest: number,
    { states, receipts }: Omit<RoomTexts, "head"> = { states: [], receipts: [] },
  ) {
    this.slot = slot;
    this.#newest = newest;
    this.#state = new Pages(KINDS.state, slot, stateKey, states);
    this.#receipts = new Pages(KINDS.receipts, slot, receiptKey, receipts);
  }

  /** Reads a room from its rows. */
  static read(texts: RoomTexts, newest: number): Joined {
    const head = JSON.parse(texts.head) as Head;
    const room = new Joined(head.slot, newest, texts);
    room.#start = head.start;
    room.#older = head.older;
    room.#tailFrom = head.tailFrom;
    room.#tail = head.tail;
    room.#tokens = new Map(head.tokens);
    room.#summary = head.summary;
    room.#unread = head.unread;
    room.#threads = head.threads;
    room.#account = Object.assign(Object.create(null) as object, head.account) as Record<string, RawEvent>;
    room.#sticky = head.sticky;
    return room;
  }

  /** Which further rows the room of a row has. */
  static rowsOf(head: string): { slot: number; states: number; receipts: number } {
    // They are written first.
    const [slot = 0, states = 0, receipts = 0] = /^\{"slot":(\d+),"states":(\d+),"receipts":(\d+)/
      .exec(head)!
      .slice(1)
      .map(Number);
    return { slot, states, receipts };
  }

  /** Takes what a sync says of the room; nothing of it is given away or changed. */
  take(data: RawJoined, now: number): void {
    for (const event of data.account_data?.events ?? []) this.#account[event.type] = event;
    this.#unread = data.unread_notifications ?? this.#unread;
    this.#threads = data.unread_thread_notifications ?? data[THREADS];
    for (const key of ["m.heroes", "m.joined_member_count", "m.invited_member_count"]) {
      const said = data.summary?.[key];
      if (said !== undefined && said !== null) this.#summary[key] = said;
    }
    for (const receipt of receiptsAmong(data.ephemeral?.events)) this.#receipts.put(receipt);

    const timeline = data.timeline?.events ?? [];
    if (data.timeline?.limited) this.#cutAt(this.#end);
    for (const event of data.state?.events ?? []) this.#set(event);
    for (const event of data[AFTER]?.events ?? []) this.#set(event);
    if (data[AFTER] === undefined) for (const event of timeline) this.#set(event);
    if (timeline.length > 0 && data.timeline?.prev_batch) this.#tokens.set(this.#end, data.timeline.prev_batch);
    for (const event of timeline) {
      const age = event.unsigned ? event.unsigned.age : event.age;
      this.#tail.push(age === undefined ? event : { ...event, _localTs: now - age });
    }

    this.#sticky = this.#sticky.filter(([, until]) => until > now);
    for (const event of data.msc4354_sticky?.events ?? []) {
      const [begun, lasts] = [event.origin_server_ts ?? now, event.msc4354_sticky?.duration_ms ?? 0];
      this.#sticky.push([event, Math.min(begun, now) + Math.min(lasts, STICKY_MS)]);
    }

    const cut = Math.max(...[...this.#tokens.keys()].filter((at) => at <= this.#end - LEAST));
    if (cut > this.#start) this.#cutAt(cut);
    this.#moveOlder();
  }

  /** Forgets events of the timeline, of which `older` are those of rows of their own. */
  forget(ids: ReadonlySet<string>, older: RawEvent[]): void {
    const held = this.#tailFrom - older.length;
    const first = Math.max(this.#start, held);
    const all = [...older, ...this.#tail].slice(first - held);
    const tokens = new Map<number, string>();
    const left: RawEvent[] = [];
    for (const [at, event] of all.entries()) {
      // The token of one that goes is that of the one behind it.
      const [index, token] = [first + left.length, this.#tokens.get(first + at)];
      if (token !== undefined && !tokens.has(index)) tokens.set(index, token);
      if (event.event_id === undefined || !ids.has(event.event_id)) left.push(event);
    }
    this.#dropRows(this.#older);
    this.#older = [];
    [this.#start, this.#tailFrom, this.#tail, this.#tokens] = [first, first, left, tokens];
    this.#sticky = this.#sticky.filter(([{ event_id: id }]) => id === undefined || !ids.has(id));
    this.#moveOlder();
  }

  /** The room as the SDK takes it, with its newest events. */
  json(id: string, now: number): JoinedJson {
    const first = this.#tokenFrom(this.#start) ?? this.#end;
    const from = Math.max(first, this.#newestFrom);
    const events = this.#tail.slice(from - this.#tailFrom).map((event) => aged(event, now));
    const receipts = receiptEvent(id, this.#receipts.all());
    const [state, after] = this.#stateAt(events);
    return {
      ephemeral: { events: receipts === undefined ? [] : [receipts] },
      account_data: { events: Object.values(this.#account) },
      state: { events: state },
      [AFTER]: { events: after },
      timeline: { events, prev_batch: from === first ? (this.#tokens.get(first) ?? null) : null },
      unread_notifications: this.#unread,
      unread_thread_notifications: this.#threads,
      summary: this.#summary,
      msc4354_sticky: this.#sticky.length > 0 ? { events: this.#sticky.map(([event]) => event) } : undefined,
    };
  }

  /** What `json` leaves out. */
  get cut(): Cut | undefined {
    const from = this.#tokenFrom(this.#start);
    const to = this.#newestFrom;
    const token = from === undefined ? undefined : this.#tokens.get(from);
    if (from === undefined || token === undefined || from >= to) return undefined;
    return {
      slot: this.slot,
      from,
      to,
      token,
      rows: [...this.#older],
      events: this.#tail.slice(0, to - this.#tailFrom),
    };
  }

  /** The rows of older events. */
  get olderRows(): readonly number[] {
    return this.#older;
  }

  /** The rows that changed since it was asked, the room's own among them. */
  changes(id: string): Changes {
    const put: ToKeep[] = [{ kind: KINDS.room, name: id, text: JSON.stringify(this.#head()) }];
    put.push(...this.#state.changes(), ...this.#receipts.changes());
    for (const [at, events] of this.#newRows) put.push({ ...this.#nameOf(at), text: JSON.stringify(events) });
    const remove = [...this.#goneRows].map((at) => this.#nameOf(at));
    this.#newRows.clear();
    this.#goneRows.clear();
    return { put, remove };
  }

  /** The names of all its rows. */
  rows(id: string): KeptName[] {
    const pages = [this.#state, this.#receipts].flatMap((all) =>
      Array.from({ length: all.count }, (_, n) => all.name(n)),
    );
    const older = [...this.#older, ...this.#goneRows].map((at) => this.#nameOf(at));
    return [{ kind: KINDS.room, name: id }, ...pages, ...older];
  }

  /** The name of a row of older events. */
  #nameOf(at: number): KeptName {
    return { kind: KINDS.older, name: `${this.slot}.${at}` };
  }

  get #end(): number {
    return this.#tailFrom + this.#tail.length;
  }

  /** The index of the first event that is given at the start. */
  get #newestFrom(): number {
    return Math.max(this.#tailFrom, this.#end - this.#newest);
  }

  #head(): Head {
    return {
      slot: this.slot,
      states: this.#state.count,
      receipts: this.#receipts.count,
      start: this.#start,
      older: this.#older,
      tailFrom: this.#tailFrom,
      tail: this.#tail,
      tokens: [...this.#tokens],
      summary: this.#summary,
      unread: this.#unread,
      threads: this.#threads,
      account: this.#account,
      sticky: this.#sticky,
    };
  }

  /** The first index from one on at which there is a token. */
  #tokenFrom(index: number): number | undefined {
    let found: number | undefined;
    for (const at of this.#tokens.keys()) if (at >= index && (found === undefined || at < found)) found = at;
    return found;
  }

  /** Forgets all events before an index. */
  #cutAt(index: number): void {
    this.#start = index;
    for (const at of this.#tokens.keys()) if (at < index) this.#tokens.delete(at);
    const ends = [...this.#older.slice(1), this.#tailFrom];
    const gone = this.#older.filter((_, n) => (ends[n] ?? 0) <= index);
    this.#older = this.#older.filter((at) => !gone.includes(at));
    this.#dropRows(gone);
    if (index > this.#tailFrom) {
      this.#tail.splice(0, index - this.#tailFrom);
      this.#tailFrom = index;
    }
  }

  #dropRows(rows: readonly number[]): void {
    for (const at of rows) {
      this.#newRows.delete(at);
      this.#goneRows.add(at);
    }
  }

  /** Moves events out of a tail that is too long. */
  #moveOlder(): void {
    if (this.#tail.length <= 2 * this.#newest) return;
    const events = this.#tail.splice(0, this.#tail.length - this.#newest);
    this.#older.push(this.#tailFrom);
    this.#newRows.set(this.#tailFrom, events);
    this.#goneRows.delete(this.#tailFrom);
    this.#tailFrom += events.length;
  }

  /** Takes an event of state; another one is none. */
  #set(event: RawEvent): void {
    if (isState(event) && event.type) this.#state.put(event);
  }

  /** The state before events, and after them. */
  #stateAt(events: readonly RawEvent[]): [before: RawEvent[], after: RawEvent[]] {
    const back = new Map<string, RawEvent>();
    for (const event of [...events].reverse()) {
      if (!isState(event)) continue;
      const { prev_content: content, prev_sender: sender } = event.unsigned ?? {};
      back.set(stateKey(event), {
        ...event,
        ...(content ? { content: content as Record<string, unknown> } : {}),
        ...(sender ? { sender } : {}),
      });
    }
    const after = this.#state.all();
    return [after.map((event) => back.get(stateKey(event)) ?? event), after];
  }
}

const isState = ({ state_key: key }: RawEvent) => key !== undefined && key !== null;
const stateKey = (event: RawEvent) => `${event.type}\0${event.state_key ?? ""}`;

/** An event with its age by the clock here. */
function aged({ _localTs: since, ...event }: RawEvent, now: number): RawEvent {
  return since === undefined ? event : { ...event, unsigned: { ...event.unsigned, age: now - since } };
}
