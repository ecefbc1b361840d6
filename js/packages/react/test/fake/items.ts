import type { EventItem, LocalItem, Message, Profile, RoomId, RoomItem, TimelineItem } from "@haos/client";

/** A message in a timeline. */
export type MessageItem = Extract<TimelineItem, { type: "event" | "local" }>;

interface Written {
  readonly sender: Profile;
  readonly isOwn: boolean;
  readonly timestampMs: number;
  readonly message: Message;
}

function common({ sender, isOwn, timestampMs, message }: Written): Omit<EventItem, "eventId" | "txnId" | "receipts"> {
  return {
    sender,
    isOwn,
    timestampMs,
    kind: "m.room.message",
    content: { type: message.kind ?? "text", body: message.body, formatted: message.html ?? null },
    raw: { msgtype: "m.text", body: message.body },
    edited: null,
    reply:
      message.replyTo !== undefined && "eventId" in message.replyTo
        ? { eventId: message.replyTo.eventId, sender: null, text: null }
        : null,
    threadRoot: null,
    thread: null,
    reactions: [],
    moreReactions: 0,
    isRedacted: false,
    mentionsMe: false,
  };
}

/** A message that the server has. */
export function eventItem(id: string, eventId: string, txnId: string | null, written: Written): MessageItem {
  return { id, type: "event", eventId, txnId, receipts: [], ...common(written) };
}

/** A message that is unsent. */
export function localItem(id: string, txnId: string, written: Written): MessageItem {
  const unsent: Pick<LocalItem, "status" | "error"> = { status: { status: "waiting" }, error: null };
  return { id, type: "local", txnId, ...unsent, ...common(written) };
}

/** A room in a list. */
export function roomItem(id: RoomId, facts: Partial<Omit<RoomItem, "id">>): RoomItem {
  return {
    id,
    name: id,
    avatar: null,
    membership: "join",
    direct: [],
    isFavourite: false,
    isMuted: false,
    isMarkedUnread: false,
    unread: 0,
    mentions: 0,
    latest: null,
    typing: [],
    hasDraft: false,
    lastActivityMs: 0,
    ...facts,
  };
}
