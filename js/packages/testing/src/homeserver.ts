import type { NewEvent, ServerEvent } from "./event.js";
import { Network } from "./network.js";
import type { Room } from "./room.js";
import { respond } from "./routes.js";
import { World } from "./world.js";

/** How a model homeserver begins. */
export interface HomeserverOptions {
  /** The first user. Default: `@ada:haos.test`. The name of the server is the part behind the colon. */
  readonly user?: string;
  /** What every request takes, in milliseconds. Default: 0. */
  readonly latency?: number;
  /** The server's clock, in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/** How a room begins. */
export interface RoomOptions {
  readonly name?: string;
  readonly topic?: string;
  /** True for a room whose messages only its members' devices can read. */
  readonly encrypted?: boolean;
  /** Users, as `bob` or `@bob:haos.test`; the first one makes the room. Default: the server's first user. */
  readonly members?: readonly string[];
  /** Users who are invited. */
  readonly invited?: readonly string[];
}

/**
 * A model of a Matrix homeserver, for tests and demos: users, rooms, messages, files, in memory.
 *
 * It answers what a client asks (login, sync with long polling, history, sending by transaction id, files, receipts,
 * typing, account data) and does what an app's author tells it. Every user logs in with any password, unless
 * {@link Homeserver.user} gives them one. It carries keys between devices, as encrypted rooms need, and there is no
 * federation and no power but membership.
 *
 * @example
 * ```ts
 * const server = new Homeserver();
 * server.room('!lobby:haos.test', { name: 'Lobby', members: ['ada', 'bob'] });
 * server.say('!lobby:haos.test', 'bob', 'hello');
 * server.network.offline();
 * ```
 */
export class Homeserver {
  /** The way to the server; it can be made to fail. */
  readonly network: Network;
  readonly #world: World;
  readonly #first: string;

  constructor({ user = "@ada:haos.test", latency = 0, now = Date.now }: HomeserverOptions = {}) {
    this.#world = new World(user.split(":").slice(1).join(":"), now);
    this.#first = this.#world.user(user).id;
    this.network = new Network(latency, now);
  }

  /** Answers a request as `fetch` would: rejects with a `TypeError` where the network fails. */
  handle(request: Request): Promise<Response> {
    return this.network.carry(request, (carried, life) => respond(this.#world, carried, life));
  }

  /** Makes a user, or changes one; their id. With a password, no other one logs them in. */
  user(name: string, options: { password?: string; displayName?: string } = {}): string {
    const user = this.#world.user(name);
    user.password = options.password ?? user.password;
    user.displayName = options.displayName ?? user.displayName;
    return user.id;
  }

  /** Makes a room, or adds to one; its id. */
  room(id: string, { name, topic, encrypted, members = [], invited = [] }: RoomOptions = {}): string {
    const ids = members.map((member) => this.user(member));
    const creator = ids[0] ?? this.#first;
    const room = this.#world.room(id, creator);
    for (const member of ids) room.ensureMember(member);
    for (const user of invited) room.setMembership(creator, this.user(user), "invite");
    const state = (type: string, content: Record<string, unknown>): void =>
      void room.add({ type, sender: creator, stateKey: "", content });
    if (name !== undefined) state("m.room.name", { name });
    if (topic !== undefined) state("m.room.topic", { topic });
    if (encrypted === true) state("m.room.encryption", { algorithm: "m.megolm.v1.aes-sha2" });
    return id;
  }

  /** A user says something; the event's id. They become a member first, if they are none. */
  say(room: string, sender: string, body: string): string {
    return this.event(room, { type: "m.room.message", sender, content: { msgtype: "m.text", body } });
  }

  /** Adds any event; its id. The sender becomes a member first, if they are none. */
  event(room: string, event: NewEvent): string {
    const sender = this.user(event.sender);
    const to = this.#room(room);
    const isOwnMembership = event.type === "m.room.member" && event.stateKey === sender;
    if (!isOwnMembership) to.ensureMember(sender);
    return to.add({ ...event, sender }).event_id;
  }

  /** Takes an event's content away; the id of the redaction. */
  redact(room: string, eventId: string, sender = this.#first): string {
    const content = { redacts: eventId };
    return this.event(room, { type: "m.room.redaction", sender, content, redacts: eventId });
  }

  /** Says who types in a room, and nobody else does. */
  typing(room: string, users: readonly string[]): void {
    const to = this.#room(room);
    const ids = users.map((user) => this.user(user));
    for (const user of to.typing) if (!ids.includes(user)) to.setTyping(user, false);
    for (const user of ids) to.setTyping(user, true);
  }

  /** A user has read up to an event. */
  read(room: string, user: string, eventId: string): void {
    this.#room(room).setReceipt("m.read", this.user(user), eventId);
  }

  /** The bodies of a room's messages as the server has them, in order, without those that were redacted. */
  bodies(room: string): string[] {
    return this.events(room).flatMap(({ type, content: { body } }) =>
      type === "m.room.message" && typeof body === "string" ? [body] : [],
    );
  }

  /** A room's events as the server has them, in order. */
  events(room: string): ServerEvent[] {
    return this.#room(room).events.map(({ event }) => event);
  }

  /** The devices of a user that can be sent encrypted messages: those that uploaded their keys. */
  encryptingDevices(user: string): string[] {
    return this.#world.keys.devices(this.user(user));
  }

  /** The bytes of a file that was uploaded, by its mxc uri. */
  file(uri: string): Uint8Array | undefined {
    return this.#world.media.get(uri)?.bytes;
  }

  /** Adds a file; its mxc uri. */
  addFile(bytes: Uint8Array<ArrayBuffer>, mime = "application/octet-stream"): string {
    return this.#world.media.add({ bytes, mime });
  }

  /** Ends a user's sessions. `soft`: a login on the same device goes on with it. */
  logout(user: string, { soft = false }: { soft?: boolean } = {}): void {
    const id = this.user(user);
    for (const [token, device] of this.#world.devices) {
      if (device.user.id !== id) continue;
      this.#world.devices.delete(token);
      if (soft) this.#world.softlyLoggedOut.add(token);
      else this.#world.keys.forget(device);
    }
    // Whoever waits for news finds out now.
    this.#world.next();
  }

  #room(id: string): Room {
    return this.#world.rooms.get(id) ?? this.#world.room(id, this.#first);
  }
}
