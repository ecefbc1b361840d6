import type { NewEvent, Origin, ServerEvent, Stored } from "./event.js";
import type { World } from "./world.js";

/** What a user is to a room. */
export type Membership = "join" | "invite" | "leave" | "ban";

/** A value, and the position at which it came to be. */
export interface Placed<T> {
  readonly position: number;
  readonly value: T;
}

/** A room: its events in order, and what passes through it without being one. */
export class Room {
  readonly events: Stored[] = [];
  readonly #state: Stored[] = [];
  readonly #current = new Map<string, Stored>();
  readonly #typing = new Map<string, ReturnType<typeof setTimeout> | undefined>();
  /** Receipts by user and kind. */
  readonly receipts = new Map<string, Placed<{ kind: string; user: string; event: string; ts: number }>>();
  /** Account data by user and type. */
  readonly accountData = new Map<string, Placed<{ user: string; type: string; content: unknown }>>();
  typingPosition = 0;

  readonly world: World;
  readonly id: string;

  constructor(world: World, id: string) {
    this.world = world;
    this.id = id;
  }

  /** Adds an event at the end. A redaction empties its target. */
  add(event: NewEvent, origin?: Origin): ServerEvent {
    const position = this.world.next();
    const made: ServerEvent = {
      event_id: `$e${position}`,
      room_id: this.id,
      type: event.type,
      sender: event.sender,
      origin_server_ts: this.world.now(),
      content: event.content,
      ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
      ...(event.redacts === undefined ? {} : { redacts: event.redacts }),
    };
    const stored = { position, event: made, origin };
    this.events.push(stored);
    if (event.stateKey !== undefined) {
      this.#state.push(stored);
      this.#current.set(key(event.type, event.stateKey), stored);
    }
    const target = event.redacts === undefined ? undefined : this.find(event.redacts);
    if (target !== undefined) {
      target.event.content = {};
      target.event.unsigned = { redacted_because: made };
    }
    return made;
  }

  find(eventId: string): Stored | undefined {
    return this.events.find((stored) => stored.event.event_id === eventId);
  }

  /** The events behind a position, in order. */
  after(position: number): Stored[] {
    let first = this.events.length;
    while (first > 0 && this.events[first - 1]!.position > position) first -= 1;
    return this.events.slice(first);
  }

  state(type: string, stateKey = ""): Stored | undefined {
    return this.#current.get(key(type, stateKey));
  }

  /** The state that events between two positions made: the newest of each kind. */
  stateBetween(from: number, to: number): Stored[] {
    const newest = new Map<string, Stored>();
    for (const stored of this.#state) {
      if (stored.position > from && stored.position <= to) {
        newest.set(key(stored.event.type, stored.event.state_key ?? ""), stored);
      }
    }
    return [...newest.values()];
  }

  membership(user: string, at = Infinity): Membership | undefined {
    let found: unknown;
    for (const { position, event } of this.#state) {
      if (position > at) break;
      if (event.type === "m.room.member" && event.state_key === user) found = event.content["membership"];
    }
    return found as Membership | undefined;
  }

  /** The users with this membership, in the order in which they got it. */
  members(membership: Membership): string[] {
    return [...this.#current.values()]
      .filter(({ event }) => event.type === "m.room.member" && event.content["membership"] === membership)
      .map(({ event }) => event.state_key ?? "");
  }

  setMembership(sender: string, user: string, membership: Membership, reason?: string): void {
    const content: Record<string, unknown> = { membership, displayname: this.world.displayName(user) };
    if (reason !== undefined) content["reason"] = reason;
    this.add({ type: "m.room.member", sender, stateKey: user, content });
    if (membership !== "join") this.setTyping(user, false);
  }

  /** Makes a user a member, if they are none. */
  ensureMember(user: string): void {
    if (this.membership(user) !== "join") this.setMembership(user, user, "join");
  }

  get typing(): string[] {
    return [...this.#typing.keys()];
  }

  /** Tells that a user types, for as long as `ms` says. */
  setTyping(user: string, typing: boolean, ms?: number): void {
    const was = this.#typing.has(user);
    clearTimeout(this.#typing.get(user));
    this.#typing.delete(user);
    if (typing) {
      const timer = ms === undefined ? undefined : setTimeout(() => this.setTyping(user, false), ms);
      // In Node, a timer keeps the process alive.
      (timer as { unref?: () => void } | undefined)?.unref?.();
      this.#typing.set(user, timer);
    }
    if (was !== typing) this.typingPosition = this.world.next();
  }

  setReceipt(kind: string, user: string, event: string): void {
    const value = { kind, user, event, ts: this.world.now() };
    this.receipts.set(key(kind, user), { position: this.world.next(), value });
  }

  setAccountData(user: string, type: string, content: unknown): void {
    this.accountData.set(key(user, type), { position: this.world.next(), value: { user, type, content } });
  }

  /** The messages of others behind what the user has read. */
  unread(user: string): number {
    const places = ["m.read", "m.read.private"].map((kind) => {
      const read = this.receipts.get(key(kind, user));
      return read === undefined ? 0 : (this.find(read.value.event)?.position ?? 0);
    });
    const behind = this.after(Math.max(...places));
    const own = behind.findLastIndex(({ event }) => event.sender === user && event.type === "m.room.message");
    return behind.slice(own + 1).filter(({ event }) => event.sender !== user && event.type === "m.room.message").length;
  }
}

function key(...parts: string[]): string {
  return parts.join("\u0000");
}
