import { Refusal } from "./answer.js";
import { memberOf, type Asked } from "./asked.js";
import type { NewEvent, Origin } from "./event.js";
import type { Filter } from "./filter.js";
import type { Room } from "./room.js";
import { positionOf, sync } from "./sync.js";
import type { Device } from "./world.js";

const MAX_EVENT_BYTES = 65_536;
/** The largest file that is taken. */
export const MAX_UPLOAD_BYTES = 50 << 20;

/** Makes a session. */
export async function login({ world, body }: Asked): Promise<unknown> {
  const asked = await body();
  const { user: name } = (asked["identifier"] ?? {}) as { user?: unknown };
  const user = world.users.get(world.userId(String(name ?? asked["user"] ?? "")));
  const isRight = user?.password === undefined || user.password === asked["password"];
  if (asked["type"] !== "m.login.password" || user === undefined || !isRight) {
    throw new Refusal(403, "M_FORBIDDEN", "The user or the password is wrong");
  }
  const id = typeof asked["device_id"] === "string" ? asked["device_id"] : `D${world.serial()}`;
  for (const [token, device] of world.devices) {
    if (device.id === id && device.user === user) world.devices.delete(token);
  }
  const token = `token-${world.serial()}`;
  world.devices.set(token, { id, user });
  return { user_id: user.id, device_id: id, access_token: token, home_server: world.serverName };
}

/** Answers a sync, at once or when there is something to say. */
export async function answerSync({ world, device, url, life }: Asked): Promise<unknown> {
  const query = url.searchParams;
  const text = query.get("since");
  const since = text === null ? undefined : positionOf(text);
  if (text !== null && since === undefined) throw new Refusal(400, "M_UNKNOWN", `${text} is no token of a sync`);
  const filter = filterOf(device, query.get("filter"));
  const end = Date.now() + Number(query.get("timeout") ?? 0);
  for (;;) {
    const { body, isNews } = sync(world, { device, since, filter });
    const leftMs = end - Date.now();
    if (since === undefined || isNews || leftMs <= 0 || life.aborted) return body;
    await world.changed(leftMs, life);
  }
}

function filterOf(device: Device, text: string | null): Filter {
  if (text === null) return {};
  if (text.startsWith("{")) return JSON.parse(text) as Filter;
  const filter = device.user.filters[Number(text)];
  if (filter === undefined) throw new Refusal(400, "M_INVALID_PARAM", `There is no filter ${text}`);
  return filter;
}

/** Makes a room. */
export async function createRoom({ world, device, body }: Asked): Promise<unknown> {
  const asked = await body();
  const me = device.user.id;
  const room = world.room(`!r${world.serial()}:${world.serverName}`, me);
  const state = (type: string, content: Record<string, unknown>, stateKey = ""): void =>
    void room.add({ type, sender: me, stateKey, content });
  if (asked["preset"] !== "public_chat") state("m.room.join_rules", { join_rule: "invite" });
  for (const it of (asked["initial_state"] ?? []) as { type: string; state_key?: string; content: never }[]) {
    state(it.type, it.content, it.state_key);
  }
  if (typeof asked["name"] === "string") state("m.room.name", { name: asked["name"] });
  if (typeof asked["topic"] === "string") state("m.room.topic", { topic: asked["topic"] });
  for (const user of (asked["invite"] ?? []) as string[]) room.setMembership(me, user, "invite");
  return { room_id: room.id };
}

/** Joins a room by its id or alias. */
export function join({ world, device, parts: [name = ""] }: Asked): unknown {
  const hasAlias = (room: Room): boolean => room.state("m.room.canonical_alias")?.event.content["alias"] === name;
  const room = world.rooms.get(name) ?? [...world.rooms.values()].find(hasAlias);
  if (room === undefined) throw new Refusal(404, "M_NOT_FOUND", `There is no room ${name}`);
  const rule = room.state("m.room.join_rules")?.event.content["join_rule"];
  const membership = room.membership(device.user.id);
  if (membership === "ban" || (rule !== "public" && membership !== "invite" && membership !== "join")) {
    throw new Refusal(403, "M_FORBIDDEN", "You are not invited");
  }
  room.ensureMember(device.user.id);
  return { room_id: room.id };
}

/** Makes another user what they are to a room. */
export async function setMember(asked: Asked, membership: "invite" | "leave" | "ban"): Promise<unknown> {
  const room = memberOf(asked);
  const { user_id: user, reason } = await asked.body();
  if (typeof user !== "string") throw new Refusal(400, "M_MISSING_PARAM", "The body names no user_id");
  room.setMembership(asked.device.user.id, user, membership, typeof reason === "string" ? reason : undefined);
  return {};
}

/** Adds an event; of a transaction, once. */
export async function put(asked: Asked, event: Omit<NewEvent, "sender" | "content">, txn?: string): Promise<unknown> {
  const { world, device, url } = asked;
  const content = await asked.body();
  const transaction = `${device.user.id} ${device.id} ${url.pathname}`;
  const known = txn === undefined ? undefined : world.transactions.get(transaction);
  if (known !== undefined) return { event_id: known };
  const room = memberOf(asked);
  if (JSON.stringify(content).length > MAX_EVENT_BYTES) {
    throw new Refusal(413, "M_TOO_LARGE", "The event is too large");
  }
  const origin: Origin | undefined = txn === undefined ? undefined : { device: device.id, txn };
  // Since room version 11 the target of a redaction is in its content.
  const whole = event.redacts === undefined ? content : { ...content, redacts: event.redacts };
  const made = room.add({ ...event, sender: device.user.id, content: whole }, origin);
  if (txn !== undefined) world.transactions.set(transaction, made.event_id);
  return { event_id: made.event_id };
}

/** Takes a receipt. */
export function read(asked: Asked, kind: string, event: unknown): void {
  const room = memberOf(asked);
  if (typeof event !== "string") return;
  if (kind === "m.fully_read") room.setAccountData(asked.device.user.id, kind, { event_id: event });
  else room.setReceipt(kind, asked.device.user.id, event);
}

/** The file in the body of a request. */
export async function fileOf(request: Request): Promise<{ bytes: Uint8Array<ArrayBuffer>; mime: string }> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > MAX_UPLOAD_BYTES) throw new Refusal(413, "M_TOO_LARGE", "The file is too large");
  return { bytes, mime: request.headers.get("Content-Type") ?? "application/octet-stream" };
}
