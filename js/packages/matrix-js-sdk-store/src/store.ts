import type { Haos } from "@haos/client";
import { open, type OpenOptions } from "@haos/web";
import { MatrixEvent } from "matrix-js-sdk/lib/models/event.js";
import type { Room } from "matrix-js-sdk/lib/models/room.js";
import type { IStore } from "matrix-js-sdk/lib/store/index.js";
import { MemoryStore } from "matrix-js-sdk/lib/store/memory.js";

import { Account, READ } from "./account.js";
import { Filler } from "./fill.js";
import type { Cut } from "./joined.js";
import { copy, type RawEvent, type RawSync } from "./json.js";
import { KINDS } from "./kinds.js";
import { type PendingEvent, readPending, writePending } from "./pending.js";
import { Rows } from "./rows.js";
import { Shelf } from "./shelf.js";
import { Writer } from "./writer.js";

/** How the store is opened. */
export interface HaosStoreOptions extends Omit<OpenOptions, "held" | "deviceName"> {
  /**
   * The newest events of a room that the SDK is given at the start; older ones follow in idle moments. Default: 20.
   * `Infinity` gives all at once, as the SDK's own store does.
   */
  readonly timelineLimit?: number | undefined;
  /** Where the SDK's own store has pending events, such as `window.localStorage`: they are taken over. */
  readonly localStorage?: Storage | undefined;
  /** A chat that was opened held, to keep all of it in instead of one that is opened here; it is not closed. */
  readonly chat?: Haos | undefined;
}

type Saved = Awaited<ReturnType<IStore["getSavedSync"]>>;
type Members = NonNullable<Awaited<ReturnType<IStore["getOutOfBandMembers"]>>>;
type ClientOptions = Awaited<ReturnType<IStore["getClientOptions"]>>;
type PendingEvents = Awaited<ReturnType<IStore["getPendingEvents"]>>;
type Batches = Parameters<IStore["saveToDeviceBatches"]>[0];
type Batch = Awaited<ReturnType<IStore["getOldestToDeviceBatch"]>>;

/** The newest events of a room that are given at the start, if nothing is said. */
const TIMELINE_LIMIT = 20;

/**
 * The store of a `MatrixClient`, over the HAOS offline store: what a sync changed is one commit, what is pending is in the
 * outbox.
 *
 * ```ts
 * const store = new HaosStore({ name: "chat" });
 * const client = createClient({ baseUrl, accessToken, userId, store });
 * await store.startup();
 * await client.startClient();
 * ```
 */
export class HaosStore extends MemoryStore {
  readonly #options: HaosStoreOptions;
  readonly #newest: number;
  readonly #opening: Promise<Haos>;
  readonly #shelf: Shelf;
  readonly #writer: Writer;
  readonly #filler = new Filler((cut) => this.#readCut(cut));
  readonly #rows = new Rows();
  readonly #degraded = new Set<(error: Error) => void>();
  readonly #filters = new Map<string, string>();
  /** When users were last modified as they are kept, by the SDK's clock. */
  readonly #modified = new Map<string, number>();
  #account: Account;
  /** The token of the sync that was read. */
  #tokenRead: string | null = null;
  #isStarted = false;
  #isNew = true;
  #isDirty = false;
  #saving: Promise<void> | undefined;
  #clientOptions: ClientOptions;
  #nextBatch = 1;

  /** Begins to open the store. */
  constructor(options: HaosStoreOptions) {
    super();
    const { timelineLimit = TIMELINE_LIMIT, localStorage: _, chat, ...opening } = options;
    this.#options = options;
    this.#newest = timelineLimit;
    this.#account = new Account(timelineLimit);
    this.#opening = chat === undefined ? open({ ...opening, held: true }) : Promise.resolve(chat);
    this.#shelf = new Shelf(this.#opening, (error) => this.#degraded.forEach((tell) => tell(error)));
    this.#writer = new Writer(options.name);
  }

  /**
   * Hears of what cannot be kept (`degraded`), such as for want of space. The store goes on in memory, and tries again
   * with the next save.
   */
  on(event: string, handler: (...args: any[]) => void): void {
    if (event === "degraded") this.#degraded.add(handler);
  }

  /** Reads what is there. Call it once the store is given to a client. */
  override async startup(): Promise<void> {
    if (this.#isStarted) return;
    await Promise.all([this.#opening, this.#writer.begin(() => this.#isLatest())]);
    const kinds = [...READ, KINDS.options, KINDS.presence, KINDS.filter, KINDS.toDevice];
    const lists = await this.#shelf.run((chat) => chat.kept(...kinds.map((kind) => ({ kind }))));
    const [[options] = [], presence = [], filters = [], batches = []] = lists.slice(READ.length);
    this.#account = Account.read(lists, this.#newest);
    this.#tokenRead = this.#account.token;
    this.#isNew = options === undefined;
    for (const { name, text } of presence) this.#takeUser(name, JSON.parse(text));
    for (const { name, text } of filters) this.#filters.set(name, text);
    for (const { name } of batches) this.#nextBatch = Math.max(this.#nextBatch, Number(name) + 1);
    this.#clientOptions = options === undefined ? undefined : (JSON.parse(options.text) ?? undefined);
    // A row that is there from the first start on.
    if (this.#isNew) void this.#put(KINDS.options, "", null);
    this.#isStarted = true;
  }

  /** True if nothing was kept before this start. */
  override async isNewlyCreated(): Promise<boolean> {
    return this.#isNew;
  }

  override async getSavedSync(): Promise<Saved> {
    const saved = this.#account.saved(Date.now());
    if (saved === null) return null;
    this.#filler.begin(saved.cuts);
    return saved.sync as unknown as Saved;
  }

  override async getSavedSyncToken(): Promise<string | null> {
    return this.#account.token;
  }

  /** Takes a sync, which the next `save` keeps. */
  override async setSyncData(sync: Parameters<IStore["setSyncData"]>[0]): Promise<void> {
    const raw = sync as unknown as RawSync;
    // A sync may end what the SDK was not given yet.
    await this.#filler.hold(Object.keys(raw.rooms?.join ?? {}));
    this.#account.take(raw, Date.now());
    this.#isDirty = true;
  }

  /** True if something waits to be kept: a save costs what changed, so every sync is kept at once. */
  override wantsSave(): boolean {
    return this.#writer.isHeld && this.#isDirty;
  }

  /** Keeps what changed, in one commit. */
  override async save(force = false): Promise<void> {
    if (!this.#writer.isHeld || !(force || this.#isDirty)) return;
    // One that waits for its turn takes what comes meanwhile along.
    this.#saving ??= this.#shelf.attempt(
      (chat) => {
        this.#saving = undefined;
        this.#isDirty = false;
        this.#account.changes(this.#rows);
        this.#takePresence();
        return this.#rows.commit(chat);
      },
      () => void (this.#isDirty = true),
    );
    return this.#saving;
  }

  /** Resolves once all rooms have their older events, which follow the first sync event of the client. */
  whenFilled(): Promise<void> {
    return this.#filler.done;
  }

  override storeRoom(room: Room): void {
    super.storeRoom(room);
    this.#filler.take(room);
  }

  override getFilterIdByName(name: string): string | null {
    return this.#filters.get(name) ?? null;
  }

  override setFilterIdByName(name: string, id?: string): void {
    if (id !== undefined && id !== "" && id !== "undefined" && id !== "null") {
      this.#filters.set(name, id);
      void this.#put(KINDS.filter, name, id);
    } else {
      this.#filters.delete(name);
      void this.#remove(KINDS.filter, name);
    }
  }

  /** Removes all but what is pending. */
  override async deleteAllData(): Promise<void> {
    await super.deleteAllData();
    this.#account = new Account(this.#newest);
    this.#clientOptions = undefined;
    this.#isDirty = false;
    for (const held of [this.#filler, this.#rows, this.#filters, this.#modified]) held.clear();
    const kinds = Object.values(KINDS).filter((kind) => kind !== KINDS.pending);
    await this.#shelf.attempt(
      async (chat) => {
        const lists = await chat.kept(...kinds.map((kind) => ({ kind })));
        await chat.keep({ remove: kinds.flatMap((kind, n) => lists[n]?.map(({ name }) => ({ kind, name })) ?? []) });
      },
      () => {},
    );
  }

  override getOutOfBandMembers(room: string): Promise<Members | null> {
    return this.#shelf.attempt(
      async (chat) => (await textOf(chat, KINDS.members, room)) as Members | null,
      () => super.getOutOfBandMembers(room),
    );
  }

  override async setOutOfBandMembers(room: string, members: Members): Promise<void> {
    const byUser = new Map<string, unknown>();
    for (const member of [...((await this.getOutOfBandMembers(room)) ?? []), ...members]) {
      byUser.set(member.state_key, member);
    }
    await super.setOutOfBandMembers(room, [...byUser.values()] as Members);
    await this.#put(KINDS.members, room, [...byUser.values()]);
  }

  override async clearOutOfBandMembers(room: string): Promise<void> {
    await super.clearOutOfBandMembers(room);
    await this.#remove(KINDS.members, room);
  }

  override async getClientOptions(): Promise<ClientOptions> {
    return this.#clientOptions && copy(this.#clientOptions);
  }

  override async storeClientOptions(options: NonNullable<ClientOptions>): Promise<void> {
    this.#clientOptions = copy(options);
    await this.#put(KINDS.options, "", options);
  }

  override async getPendingEvents(room: string): Promise<PendingEvents> {
    await this.#takePendingOver(room);
    return this.#shelf.attempt(
      async (chat) => (await readPending(chat, room)) as PendingEvents,
      () => super.getPendingEvents(room),
    );
  }

  override async setPendingEvents(room: string, events: PendingEvents): Promise<void> {
    const kept = copy(events);
    await super.setPendingEvents(room, kept);
    await this.#shelf.attempt(
      (chat) => writePending(chat, room, kept as PendingEvent[], Date.now()),
      () => {},
    );
  }

  override async saveToDeviceBatches(batches: Batches): Promise<void> {
    const rows = batches.map((batch) => ({
      kind: KINDS.toDevice,
      name: `${this.#nextBatch++}`,
      text: JSON.stringify(batch),
    }));
    await this.#shelf.run((chat) => chat.keep({ put: rows }));
  }

  override async getOldestToDeviceBatch(): Promise<Batch> {
    const [rows = []] = await this.#shelf.run((chat) => chat.kept({ kind: KINDS.toDevice }));
    const [oldest] = rows.sort((a, b) => Number(a.name) - Number(b.name));
    if (oldest === undefined) return null;
    const { txnId, eventType, batch } = JSON.parse(oldest.text) as NonNullable<Batch>;
    return { id: Number(oldest.name), txnId, eventType, batch };
  }

  override async removeToDeviceBatch(id: number): Promise<void> {
    const remove = [{ kind: KINDS.toDevice, name: String(id) }];
    await this.#shelf.run((chat) => chat.keep({ remove }));
  }

  // Earlier versions of the SDK have neither these nor the type of a profile.

  override async getUserProfile(user: string): Promise<any> {
    return (await this.#shelf.run((chat) => textOf(chat, KINDS.profile, user))) ?? undefined;
  }

  override async storeUserProfiles(profiles: Map<string, any>): Promise<void> {
    const rows = [...profiles].map(([name, profile]) => ({ kind: KINDS.profile, name, text: JSON.stringify(profile) }));
    await this.#shelf.run((chat) => chat.keep({ put: rows }));
  }

  override async removeUserProfiles(users: string[]): Promise<void> {
    const remove = users.map((name) => ({ kind: KINDS.profile, name }));
    await this.#shelf.run((chat) => chat.keep({ remove }));
  }

  /** Removes events from what the next start is given. */
  override async removeEventsFromRoom(room: string, events: string[]): Promise<void> {
    const ids = new Set(events);
    await this.#filler.forget(room, ids);
    const joined = this.#account.room(room);
    if (joined === undefined) return;
    const older = await this.#readRows(joined.slot, joined.olderRows);
    this.#account.forget(room, ids, older ?? []);
    this.#isDirty = true;
    await this.save();
  }

  /** Keeps what waits, and closes the store. */
  override async destroy(): Promise<void> {
    await this.save();
    await this.#shelf.idle();
    this.#filler.clear();
    this.#writer.end();
    const close = (chat: Haos) => (this.#options.chat === undefined ? chat.close() : undefined);
    await this.#opening.then(close, () => {});
  }

  #put(kind: string, name: string, value: unknown): Promise<void> {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const keep = (chat: Haos) => chat.keep({ put: [{ kind, name, text }] });
    return this.#shelf.attempt(keep, () => {});
  }

  #remove(kind: string, name: string): Promise<void> {
    const keep = (chat: Haos) => chat.keep({ remove: [{ kind, name }] });
    return this.#shelf.attempt(keep, () => {});
  }

  /** True if no other tab kept a sync since this one was started. */
  async #isLatest(): Promise<boolean> {
    const row = await this.#shelf.run((chat) => textOf(chat, KINDS.sync, ""));
    return ((row as { token: string } | null)?.token ?? null) === this.#tokenRead;
  }

  /** Makes a user of their presence. */
  #takeUser(id: string, event: unknown): void {
    if (this.createUser === undefined) {
      throw new Error("startup() needs the client: call it once the store is given to createClient()");
    }
    const user = this.createUser(id);
    user.setPresenceEvent(new MatrixEvent(event as object));
    this.#modified.set(id, user.getLastModifiedTime());
    this.storeUser(user);
  }

  /** Puts presence that changed where it waits to be kept. */
  #takePresence(): void {
    for (const user of this.getUsers()) {
      const [id, modified, presence] = [user.userId, user.getLastModifiedTime(), user.events.presence];
      if (presence === undefined || this.#modified.get(id) === modified) continue;
      this.#modified.set(id, modified);
      this.#rows.put({ kind: KINDS.presence, name: id, text: JSON.stringify(presence.event) });
    }
  }

  /** Takes over the pending events of the SDK's own store. */
  async #takePendingOver(room: string): Promise<void> {
    const { localStorage } = this.#options;
    const key = `mx_pending_events_${room}`;
    const text = localStorage?.getItem(key);
    if (!text) return;
    await this.setPendingEvents(room, JSON.parse(text) as PendingEvents);
    localStorage?.removeItem(key);
  }

  /** Reads the events that were cut from a room; undefined if they are gone. */
  async #readCut({ slot, from, to, rows, events }: Cut): Promise<RawEvent[] | undefined> {
    const older = await this.#readRows(slot, rows);
    // The rows begin where a sync did, which may lie before what is kept.
    return older && [...older, ...events].slice(from - to);
  }

  /** Reads rows of older events; undefined if one is gone. */
  async #readRows(slot: number, rows: readonly number[]): Promise<RawEvent[] | undefined> {
    const names = rows.map((at) => ({ kind: KINDS.older, name: `${slot}.${at}` }));
    const lists = await this.#shelf.attempt(
      (chat) => chat.kept(...names),
      () => [],
    );
    const texts = names.map((name, n) => this.#rows.text(name) ?? lists[n]?.[0]?.text);
    if (texts.includes(undefined)) return undefined;
    return texts.flatMap((text) => JSON.parse(text ?? "[]") as RawEvent[]);
  }
}

/** The value of a row; null if there is none. */
async function textOf(chat: Haos, kind: string, name: string): Promise<unknown> {
  const [[row] = []] = await chat.kept({ kind, name });
  return row === undefined ? null : JSON.parse(row.text);
}
