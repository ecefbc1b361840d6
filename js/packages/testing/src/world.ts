import { Keys } from "./keys.js";
import { Media } from "./media.js";
import { Room, type Placed } from "./room.js";
import type { Filter } from "./filter.js";

/** Somebody with an account. */
export interface User {
  readonly id: string;
  displayName: string;
  /** Without one, any password will do. */
  password: string | undefined;
  readonly accountData: Map<string, Placed<unknown>>;
  readonly filters: Filter[];
}

/** A session of a user. */
export interface Device {
  readonly id: string;
  readonly user: User;
}

/** Everything the server knows. Each change has a position, and wakes those who wait for one. */
export class World {
  readonly rooms = new Map<string, Room>();
  readonly users = new Map<string, User>();
  /** By access token. */
  readonly devices = new Map<string, Device>();
  /** Tokens that are void until their device logs in again. */
  readonly softlyLoggedOut = new Set<string>();
  /** The event that a transaction made, by device and path. */
  readonly transactions = new Map<string, string>();
  readonly media: Media;
  readonly keys = new Keys(this);
  position = 0;
  readonly #waiting = new Set<() => void>();
  #serial = 0;

  readonly serverName: string;
  readonly now: () => number;

  constructor(serverName: string, now: () => number) {
    this.serverName = serverName;
    this.now = now;
    this.media = new Media(serverName);
  }

  /** The next position; whoever waits for a change looks again. */
  next(): number {
    this.position += 1;
    for (const wake of this.#waiting) wake();
    return this.position;
  }

  /** A number that was not given before. */
  serial(): number {
    this.#serial += 1;
    return this.#serial;
  }

  /** Waits for a change, `ms` at most; tells if there was one. */
  changed(ms: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (changed: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", over);
        resolve(changed);
      };
      const wake = (): void => done(true);
      const over = (): void => done(false);
      const timer = setTimeout(over, ms);
      this.#waiting.add(wake);
      signal.addEventListener("abort", over);
      if (signal.aborted) over();
    });
  }

  /** The full id of a user that is named as `ada` or as `@ada:haos.test`. */
  userId(name: string): string {
    return name.startsWith("@") ? name : `@${name}:${this.serverName}`;
  }

  /** A user; made if there is none. */
  user(name: string): User {
    const id = this.userId(name);
    let user = this.users.get(id);
    if (user === undefined) {
      const local = id.slice(1).split(":")[0] ?? id;
      const displayName = local.charAt(0).toUpperCase() + local.slice(1);
      user = { id, displayName, password: undefined, accountData: new Map(), filters: [] };
      this.users.set(id, user);
    }
    return user;
  }

  displayName(user: string): string {
    return this.user(user).displayName;
  }

  /** A room; made, with its creator as the only member, if there is none. */
  room(id: string, creator: string): Room {
    let room = this.rooms.get(id);
    if (room === undefined) {
      room = new Room(this, id);
      this.rooms.set(id, room);
      const add = (type: string, content: Record<string, unknown>): void =>
        void room?.add({ type, sender: creator, stateKey: "", content });
      add("m.room.create", { room_version: "11" });
      room.setMembership(creator, creator, "join");
      add("m.room.power_levels", { users: { [creator]: 100 }, users_default: 0, events_default: 0 });
      add("m.room.join_rules", { join_rule: "public" });
      add("m.room.history_visibility", { history_visibility: "shared" });
    }
    return room;
  }
}
