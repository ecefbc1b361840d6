import { Refusal } from "./answer.js";
import type { Room } from "./room.js";
import type { Device, World } from "./world.js";

/** A request, taken apart. */
export interface Asked {
  readonly world: World;
  readonly request: Request;
  readonly url: URL;
  /** The parts of the path that the pattern leaves open. */
  readonly parts: readonly string[];
  readonly device: Device;
  readonly life: AbortSignal;
  readonly body: () => Promise<Record<string, unknown>>;
}

/** What answers a kind of request: a response, or JSON. */
export type Answering = (asked: Asked) => unknown;

/** The access token of a request. */
export function bearer(request: Request): string | undefined {
  return /^Bearer (.+)$/.exec(request.headers.get("Authorization") ?? "")?.[1];
}

/** The body of a request, which is a JSON object or nothing. */
export async function bodyOf(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text();
  if (text === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, "M_NOT_JSON", "The body is no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Refusal(400, "M_BAD_JSON", "The body is no object");
  }
  return value as Record<string, unknown>;
}

/** The value, or the refusal that there is none. */
export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Refusal(404, "M_NOT_FOUND", "There is no such thing");
  return value;
}

/** The room, if the user is in it. */
export function memberOf({ world, device, parts }: Asked, id = parts[0] ?? ""): Room {
  const room = world.rooms.get(id);
  if (room?.membership(device.user.id) !== "join") {
    throw new Refusal(403, "M_FORBIDDEN", "You are not in the room");
  }
  return room;
}
