import { Refusal } from "./answer.js";
import { shown } from "./event.js";
import type { Room } from "./room.js";
import { positionOf, token } from "./sync.js";
import type { Device } from "./world.js";

/** A page of a room's history: `/messages`. */
export function messages(room: Room, device: Device, query: URLSearchParams): unknown {
  const isOlder = query.get("dir") !== "f";
  const limit = Number(query.get("limit") ?? 10);
  const from = place(query.get("from")) ?? (isOlder ? room.world.position : 0);
  const to = place(query.get("to")) ?? (isOlder ? 0 : Infinity);
  const reachable = room.events.filter(({ position }) =>
    isOlder ? position <= from && position > to : position > from && position <= to,
  );
  if (isOlder) reachable.reverse();
  const chunk = reachable.slice(0, limit);
  const last = chunk.at(-1)?.position ?? from;
  const senders = new Set(chunk.map(({ event }) => event.sender));
  return {
    start: token(from),
    // Without an end there is no more.
    ...(chunk.length < reachable.length ? { end: token(isOlder ? last - 1 : last) } : {}),
    chunk: chunk.map((stored) => shown(stored, device.id)),
    state: [...senders].flatMap((user) => room.state("m.room.member", user)?.event ?? []),
  };
}

/** An event and its neighbours: `/context`. */
export function context(room: Room, device: Device, eventId: string, query: URLSearchParams): unknown {
  const index = room.events.findIndex(({ event }) => event.event_id === eventId);
  const target = room.events[index];
  if (target === undefined) throw new Refusal(404, "M_NOT_FOUND", `There is no event ${eventId}`);
  const limit = Number(query.get("limit") ?? 10);
  const before = room.events.slice(Math.max(0, index - Math.ceil(limit / 2)), index).reverse();
  const after = room.events.slice(index + 1, index + 1 + Math.floor(limit / 2));
  return {
    event: shown(target, device.id),
    events_before: before.map((stored) => shown(stored, device.id)),
    events_after: after.map((stored) => shown(stored, device.id)),
    start: token((before.at(-1) ?? target).position - 1),
    end: token((after.at(-1) ?? target).position),
    state: room.stateBetween(0, target.position).map(({ event }) => event),
  };
}

function place(text: string | null): number | undefined {
  if (text === null) return undefined;
  const position = positionOf(text);
  if (position === undefined) throw new Refusal(400, "M_INVALID_PARAM", `${text} is no token`);
  return position;
}
