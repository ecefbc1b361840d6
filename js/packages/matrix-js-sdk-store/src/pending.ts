// The SDK's pending events: rows of the outbox that wait for the user, since the SDK sends by itself.

import type { Haos, HeldBack } from "@haos/client";

import { KINDS } from "./kinds.js";

/** A pending event as the SDK keeps it. */
export interface PendingEvent {
  readonly type?: string;
  readonly content?: unknown;
  readonly txn_id?: string;
  readonly redacts?: string;
  readonly origin_server_ts?: number;
}

/** What the outbox does not have of an event, or the whole one where it has no transaction. */
interface Rest extends PendingEvent {
  /** True if the outbox has the rest. */
  readonly isHeld: boolean;
}

/** Reads the pending events of a room. One whose row is gone from the outbox is pending no more. */
export async function readPending(chat: Haos, room: string): Promise<PendingEvent[]> {
  const [[[row] = []], held] = await Promise.all([chat.kept({ kind: KINDS.pending, name: room }), chat.heldBack(room)]);
  if (row === undefined) return [];
  const rows = new Map(held.map((row) => [row.txnId, row]));
  return (JSON.parse(row.text) as Rest[]).flatMap(({ isHeld, ...event }) => {
    if (!isHeld) return [event];
    const row = rows.get(event.txn_id ?? "");
    return row === undefined ? [] : [{ ...event, type: row.kind, content: row.content }];
  });
}

/** Keeps the pending events of a room in the place of those before: one commit. */
export async function writePending(
  chat: Haos,
  room: string,
  events: readonly PendingEvent[],
  now: number,
): Promise<void> {
  const before = await chat.heldBack(room);
  const hold: HeldBack[] = [];
  const rest = events.map((event): Rest => {
    const { type, content, txn_id: txnId, ...others } = event;
    if (txnId === undefined || type === undefined || typeof content !== "object") return { ...event, isHeld: false };
    const target = event.redacts === undefined ? {} : { target: event.redacts };
    hold.push({ txnId, room, kind: type, content, createdMs: event.origin_server_ts ?? now, ...target });
    return { ...others, txn_id: txnId, isHeld: true };
  });
  const left = new Set(hold.map(({ txnId }) => txnId));
  const release = before.map(({ txnId }) => txnId).filter((txnId) => !left.has(txnId));
  const name = { kind: KINDS.pending, name: room };
  const rows = rest.length > 0 ? { put: [{ ...name, text: JSON.stringify(rest) }] } : { remove: [name] };
  await chat.keep({ ...rows, hold, release });
}
