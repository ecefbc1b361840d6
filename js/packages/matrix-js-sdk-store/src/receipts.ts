import type { RawEvent } from "./json.js";

/** A receipt: who, of which type, in which thread (null for the whole room), up to which event, and what was said of it. */
export type Receipt = [user: string, type: string, thread: string | null, event: string, data: { thread_id?: string }];

const TYPES = new Set(["m.read", "m.read.private"]);

/** What a later receipt takes the place of. */
export const receiptKey = ([user, type, thread]: Receipt) => JSON.stringify([user, type, thread]);

/** The receipts among events. */
export function* receiptsAmong(events: readonly RawEvent[] = []): Iterable<Receipt> {
  for (const { type, content } of events) {
    if (type !== "m.receipt" || !content) continue;
    for (const [event, byType] of Object.entries(content as Record<string, Record<string, object>>)) {
      for (const [kind, byUser] of Object.entries(byType)) {
        if (!TYPES.has(kind)) continue;
        for (const [user, data] of Object.entries(byUser as Record<string, { thread_id?: string }>)) {
          yield [user, kind, data.thread_id || null, event, data];
        }
      }
    }
  }
}

/** One event with all receipts of a room; undefined if there is none. */
export function receiptEvent(room: string, receipts: readonly Receipt[]): RawEvent | undefined {
  if (receipts.length === 0) return undefined;
  const content: Record<string, Record<string, Record<string, unknown>>> = Object.create(null);
  // A receipt of the whole room and one of a thread may name the same event: the thread's is the one that is told.
  const inOrder = [...receipts].sort((a, b) => Number(a[2] !== null) - Number(b[2] !== null));
  for (const [user, type, , event, data] of inOrder) {
    const byType = (content[event] ??= Object.create(null) as Record<string, Record<string, unknown>>);
    (byType[type] ??= Object.create(null) as Record<string, unknown>)[user] = data;
  }
  return { type: "m.receipt", room_id: room, content } as RawEvent;
}
