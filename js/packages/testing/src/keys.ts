import { Refusal } from "./answer.js";
import type { Asked } from "./asked.js";
import type { Device, World } from "./world.js";

type Json = Record<string, unknown>;

/** The keys of a device, as it uploaded them. */
interface DeviceKeys {
  identity: Json | undefined;
  /** Keys that are given away once, by their ids, such as `signed_curve25519:AAAA`. */
  readonly oneTime: Map<string, unknown>;
  /** Keys for when there are no others, by algorithm, and whether somebody got them. */
  readonly fallback: Map<string, { readonly id: string; readonly key: unknown; isUsed: boolean }>;
  /** What others sent it, in order. */
  inbox: { readonly position: number; readonly event: Json }[];
}

/** The public keys of devices, and what devices send each other. The server can read neither messages nor room keys. */
export class Keys {
  readonly #world: World;
  /** By user and device. */
  readonly #devices = new Map<string, Map<string, DeviceKeys>>();
  /** When the devices of a user changed last. */
  readonly #changed = new Map<string, number>();
  readonly #sent = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The devices of a user that have keys. */
  devices(user: string): string[] {
    const all = [...(this.#devices.get(user) ?? [])];
    return all.flatMap(([id, { identity }]) => (identity === undefined ? [] : [id]));
  }

  /** Takes keys of a device. */
  upload(device: Device, body: Json): Json {
    const kept = this.#of(device.user.id, device.id);
    const identity = body["device_keys"] as Json | undefined;
    if (identity !== undefined && JSON.stringify(identity) !== JSON.stringify(kept.identity)) {
      kept.identity = identity;
      this.#changed.set(device.user.id, this.#world.next());
    }
    for (const [id, key] of entries(body["one_time_keys"])) kept.oneTime.set(id, key);
    for (const [id, key] of entries(body["fallback_keys"])) {
      kept.fallback.set(algorithmOf(id), { id, key, isUsed: false });
    }
    return { one_time_key_counts: counts(kept) };
  }

  /** The identity keys of users' devices; of all of a user's where none are named. */
  query(body: Json): Json {
    const found: Record<string, Json> = {};
    for (const [user, wanted] of entries(body["device_keys"])) {
      const devices = (found[user] = {} as Json);
      for (const [id, { identity }] of this.#devices.get(user) ?? []) {
        const isWanted = !Array.isArray(wanted) || wanted.length === 0 || wanted.includes(id);
        if (identity !== undefined && isWanted) devices[id] = identity;
      }
    }
    return { device_keys: found, failures: {} };
  }

  /** Gives a key of each device away. */
  claim(body: Json): Json {
    const given: Record<string, Record<string, Json>> = {};
    for (const [user, devices] of entries(body["one_time_keys"])) {
      for (const [id, algorithm] of entries(devices)) {
        const kept = this.#devices.get(user)?.get(id);
        const [name, key] = kept === undefined ? [] : take(kept, String(algorithm));
        if (name !== undefined) (given[user] ??= {})[id] = { [name]: key };
      }
    }
    return { one_time_keys: given, failures: {} };
  }

  /** Passes something on to devices, once a transaction; `*` is each one of a user's. */
  send({ device, parts: [type = "", txn = ""] }: Asked, body: Json): Json {
    const transaction = `${device.user.id} ${device.id} ${type} ${txn}`;
    if (this.#sent.has(transaction)) return {};
    this.#sent.add(transaction);
    for (const [user, devices] of entries(body["messages"])) {
      for (const [id, content] of entries(devices)) {
        const all = [...(this.#devices.get(user)?.keys() ?? [])];
        for (const to of id === "*" ? all : [id]) {
          const event = { type, sender: device.user.id, content };
          this.#of(user, to).inbox.push({ position: this.#world.next(), event });
        }
      }
    }
    return {};
  }

  /** Forgets a device that was logged out. */
  forget(device: Device): void {
    if (this.#devices.get(device.user.id)?.delete(device.id) === true) {
      this.#changed.set(device.user.id, this.#world.next());
    }
  }

  /** What a sync tells a device, and whether that is news. What came before `since` has arrived. */
  told(device: Device, since: number | undefined): { body: Json; isNews: boolean } {
    const kept = this.#of(device.user.id, device.id);
    kept.inbox = kept.inbox.filter(({ position }) => position > (since ?? 0));
    const lists = since === undefined ? { changed: [], left: [] } : this.#lists(device, since);
    const body = {
      to_device: { events: kept.inbox.map(({ event }) => event) },
      device_lists: lists,
      device_one_time_keys_count: counts(kept),
      device_unused_fallback_key_types: [...kept.fallback].flatMap(([name, { isUsed }]) => (isUsed ? [] : [name])),
    };
    return { body, isNews: kept.inbox.length + lists.changed.length + lists.left.length > 0 };
  }

  /** Whose devices are others since then, and who shares no room any more. */
  #lists({ user: { id: me } }: Device, since: number): { changed: string[]; left: string[] } {
    const [changed, left] = [new Set<string>(), new Set<string>()];
    const rooms = [...this.#world.rooms.values()].filter((room) => room.membership(me) === "join");
    const shared = new Set([me, ...rooms.flatMap((room) => room.members("join"))]);
    for (const user of shared) {
      const isNew = rooms.some((room) => (room.state("m.room.member", user)?.position ?? 0) > since);
      if ((this.#changed.get(user) ?? 0) > since || (isNew && user !== me)) changed.add(user);
    }
    for (const room of this.#world.rooms.values()) {
      if (room.membership(me, since) !== "join") continue;
      for (const { event } of room.stateBetween(since, Infinity)) {
        const user = event.state_key ?? "";
        if (event.type === "m.room.member" && user !== me && !shared.has(user)) left.add(user);
      }
    }
    return { changed: [...changed], left: [...left] };
  }

  #of(user: string, device: string): DeviceKeys {
    let devices = this.#devices.get(user);
    if (devices === undefined) this.#devices.set(user, (devices = new Map<string, DeviceKeys>()));
    let kept = devices.get(device);
    if (kept === undefined) {
      kept = { identity: undefined, oneTime: new Map(), fallback: new Map(), inbox: [] };
      devices.set(device, kept);
    }
    return kept;
  }
}

function entries(value: unknown): [string, unknown][] {
  if (value === undefined) return [];
  if (typeof value !== "object" || value === null) throw new Refusal(400, "M_BAD_JSON", "That is no object");
  return Object.entries(value);
}

const algorithmOf = (id: string): string => id.split(":")[0] ?? id;

function counts({ oneTime }: DeviceKeys): Record<string, number> {
  const counted: Record<string, number> = { signed_curve25519: 0 };
  for (const id of oneTime.keys()) counted[algorithmOf(id)] = (counted[algorithmOf(id)] ?? 0) + 1;
  return counted;
}

function take(kept: DeviceKeys, algorithm: string): [string, unknown] | [] {
  const id = [...kept.oneTime.keys()].find((id) => algorithmOf(id) === algorithm);
  if (id !== undefined) {
    const key = kept.oneTime.get(id);
    kept.oneTime.delete(id);
    return [id, key];
  }
  const last = kept.fallback.get(algorithm);
  if (last === undefined) return [];
  last.isUsed = true;
  return [last.id, last.key];
}
