// What the application says: states, times and events as sentences.

import type {
  Account,
  ConnectionSummary,
  Content,
  MemberChange,
  ParkReason,
  Profile,
  SendStatus,
  StateChange,
  Unreadable,
  UserId,
} from "@haos/client";

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${n.toLocaleString()} ${n === 1 ? one : many}`;

/** The name of a person: the one in the room, or the first part of the id. */
export const nameOf = ({ id, name }: Pick<Profile, "id" | "name">): string => name || localPart(id);
export const localPart = (id: UserId): string => id.replace(/^@/, "").split(":")[0] || id;

export const listed = (names: readonly string[]): string => new Intl.ListFormat(undefined).format(names);

const UNITS = ["B", "KB", "MB", "GB"];
export function bytes(n: number): string {
  const step = n < 1000 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** step).toLocaleString(undefined, { maximumFractionDigits: step > 0 ? 1 : 0 })} ${UNITS[step]}`;
}

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const dayFormat = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const oldFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });
const shortFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const wholeFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const dayOf = (date: Date): string => date.toDateString();

export const time = (ms: number): string => timeFormat.format(ms);
export const moment = (ms: number): string => wholeFormat.format(ms);

/** A day as a line between messages: `date` is `YYYY-MM-DD`. */
export function day(date: string): string {
  const [year = 0, month = 1, number = 1] = date.split("-").map(Number);
  const it = new Date(year, month - 1, number);
  const now = new Date();
  if (dayOf(it) === dayOf(now)) return "Today";
  if (dayOf(it) === dayOf(new Date(now.getTime() - 86_400_000))) return "Yesterday";
  return (year === now.getFullYear() ? dayFormat : oldFormat).format(it);
}

/** A time in a list: of today, or the day. */
export const ago = (ms: number): string =>
  dayOf(new Date(ms)) === dayOf(new Date()) ? time(ms) : shortFormat.format(ms);

/** The connection in a line; nothing where all is well. */
export function connectionWords(connection: ConnectionSummary | undefined): string | undefined {
  if (connection === undefined) return undefined;
  const unsent = connection.unsent > 0 ? `${connection.unsent} unsent` : "";
  const with_ = (text: string): string => (unsent ? `${text}, ${unsent}` : text);
  switch (connection.state) {
    case "offline":
      return with_("Offline");
    case "connecting":
      return with_("Connecting");
    case "catching_up": {
      const { done, total } = connection;
      return with_(total === null ? "Catching up" : `Catching up, ${done} of ${count(total, "room")}`);
    }
    case "degraded":
      return with_(`The server cannot be reached (${connection.error}); next try at ${time(connection.nextTryMs)}`);
    case "paused":
      return with_(connection.reason);
    case "logged_out":
      return with_("Not logged in");
    case "live":
    case "elsewhere":
      return unsent ? `Sending, ${unsent}` : undefined;
  }
}

/** Tells if nothing goes on without a login: the session ended here, or the server ended it. */
export const isOver = (account: Account, connection: ConnectionSummary | undefined): boolean =>
  !account.isLoggedIn ||
  (connection?.state === "paused" && (connection.cause === "logged_out" || connection.cause === "soft_logout"));

const PARKED: Record<ParkReason, string> = {
  forbidden: "you may not write here",
  toolarge: "it is too large",
  invalid: "the server does not take it",
  notfound: "the room or message is gone",
  ambiguous: "it may have arrived already",
  expired: "it waited too long",
  parentfailed: "what it belongs to was not sent",
  missingmedia: "its file is gone",
  paused: "you paused it",
  refused: "the server refused it",
  restored: "it comes from a restored backup",
  unsealed: "the room is encrypted, and this application cannot encrypt",
};

/** How the sending of a message goes. */
export function sendWords(status: SendStatus): string {
  switch (status.status) {
    case "waiting":
      return "Waiting";
    case "sending":
      return "Sending";
    case "still_trying":
      return "Still trying";
    case "delayed":
      return "Delayed";
    case "parked":
      return status.reason === "paused" ? "Paused" : `Not sent: ${PARKED[status.reason]}`;
    case "sent":
      return "Sent";
  }
}

const UNREADABLE: Record<Unreadable["reason"], string> = {
  no_key: "its key has not come yet",
  withheld: "the sender does not give its key",
  replayed: "it is a copy of another message",
  invalid: "it is not what its sender encrypted",
};

/** What a message says, in plain text. */
export function textOf(content: Content): string {
  switch (content.type) {
    case "text":
    case "notice":
    case "emote":
      return content.body;
    case "image":
    case "video":
    case "audio":
    case "voice":
    case "file":
    case "sticker":
      return content.caption || content.name || content.type;
    case "location":
      return content.body || content.geoUri;
    case "poll":
      return `Poll: ${content.question}`;
    case "vote":
      return "Voted";
    case "poll_end":
      return content.body || "The poll is over";
    case "encrypted":
      return `Encrypted: ${UNREADABLE[content.unreadable?.reason ?? "no_key"]}`;
    case "state":
      return "";
    case "unknown":
      return content.body || "A message that this application does not know";
  }
}

/** A change of the room's state as a sentence about its sender. */
export function stateWords(change: StateChange, sender: string): string {
  switch (change.change) {
    case "member":
      return memberWords(change, sender);
    case "created":
      return `${sender} made this ${change.isSpace ? "space" : "room"}`;
    case "name":
      return change.name ? `${sender} named the room ${change.name}` : `${sender} removed the room's name`;
    case "topic":
      return change.topic ? `${sender} set the topic: ${change.topic}` : `${sender} removed the topic`;
    case "avatar":
      return `${sender} changed the room's picture`;
    case "encryption":
      return `${sender} turned encryption on`;
    case "pinned":
      return `${sender} changed what is pinned`;
    case "power_levels":
      return `${sender} set who may do what`;
    case "join_rules":
      return `${sender} set who may join`;
    case "history_visibility":
      return `${sender} set who may read what was written before`;
    case "tombstone":
      return change.body || `${sender} replaced this room`;
    default:
      return `${sender} changed the room's settings`;
  }
}

function memberWords(change: MemberChange, sender: string): string {
  const who = localPart(change.user);
  switch (change.action) {
    case "joined":
      return `${sender} joined`;
    case "left":
      return `${sender} left`;
    case "invited":
      return `${sender} invited ${who}`;
    case "kicked":
      return `${sender} removed ${who}`;
    case "banned":
      return `${sender} banned ${who}`;
    case "profile_changed":
      return change.name?.after ? `${sender} is now called ${change.name.after}` : `${sender} changed their profile`;
    default:
      return `The membership of ${who} changed`;
  }
}
