// What goes through the port of a chat, as the crates `haos` and `haos-wire` have it. Written by
// `HAOS_BLESS=1 cargo test -p haos-wire --features ts --test typescript`.

/**
 * The account whose chat it is.
 */
export type Account = { 
/**
 * The user.
 */
user: UserId, 
/**
 * The device, as the server knows it; absent for a store that was filled without a login.
 */
device: string | null, 
/**
 * The homeserver's base url; absent for other backends.
 */
server: string | null, 
/**
 * True if a login holds. After a logout the rest stays, and a login goes on with it.
 */
isLoggedIn: boolean, };

/**
 * Show an event with what is around it.
 */
export type AroundCall = { 
/**
 * The number of the timeline.
 */
watch: number, 
/**
 * The event.
 */
event: EventId, 
/**
 * How many items.
 */
want: number, };

/**
 * What a frontend asks for, by the name of the call. A room is named by its id, an item of a timeline by the id that it has
 * there.
 *
 * This is the one type of all calls, for other languages. Here each is read by itself, and answered by a function of its
 * own, so that a browser loads what a first screen calls before the rest.
 */
export type Call = { "call": "account" } | { "call": "login" } & LoginCall | { "call": "logout" } | { "call": "forgetLogin" } | { "call": "start" } | { "call": "stop" } | { "call": "online" } & OnlineCall | { "call": "tryNow" } | { "call": "recovery" } | { "call": "clear" } & ClearCall | { "call": "watch" } & WatchCall | { "call": "next" } & OfWatch | { "call": "unwatch" } & OfWatch | { "call": "more" } & Page | { "call": "older" } & Page | { "call": "newer" } & Page | { "call": "around" } & AroundCall | { "call": "toLive" } & Page | { "call": "isLive" } & OfWatch | { "call": "fill" } & OfItem | { "call": "edit" } & EditCall | { "call": "react" } & Reacting | { "call": "unreact" } & Reacting | { "call": "redact" } & RedactCall | { "call": "retryItem" } & OfItem | { "call": "cancelItem" } & OfItem | { "call": "send" } & SendCall | { "call": "editMessage" } & EditMessageCall | { "call": "reactTo" } & ReactToCall | { "call": "redactMessage" } & RedactMessageCall | { "call": "retry" } & OfRow | { "call": "retryAll" } | { "call": "cancel" } & OfRow | { "call": "pauseUpload" } & OfRow | { "call": "retryUpload" } & OfRow | { "call": "room" } & OfRoom | { "call": "members" } & OfRoom | { "call": "markRead" } & MarkReadCall | { "call": "typing" } & TypingCall | { "call": "draft" } & OfRoom | { "call": "setDraft" } & SetDraftCall | { "call": "clearDraft" } & OfRoom | { "call": "join" } & JoinCall | { "call": "leave" } & OfRoom | { "call": "invite" } & InviteCall | { "call": "removeMember" } & RemoveMemberCall | { "call": "createRoom" } & CreateRoomCall | { "call": "kept" } & KeptCall | { "call": "keep" } & KeepCall | { "call": "heldBack" } & OfRoom;

/**
 * The rows of one kind that were carried over from a damaged store.
 */
export type CarriedRows = { 
/**
 * The kind, such as `messages`.
 */
kind: string, 
/**
 * Carried over.
 */
rows: number, 
/**
 * Not readable.
 */
lost: number, };

/**
 * The part of a chat's store to clear.
 */
export type Clear = "media" | "messages" | "all_but_unsent" | "everything_including_unsent";

/**
 * Remove what is stored: the amounts.
 */
export type ClearCall = { 
/**
 * How much of it.
 */
what: Clear, };

/**
 * The amounts that were removed.
 */
export type Cleared = { 
/**
 * Outbox rows: unsent messages and signals.
 */
unsent: number, 
/**
 * Media items.
 */
media: number, 
/**
 * Their bytes.
 */
mediaBytes: number, 
/**
 * Messages.
 */
messages: number, 
/**
 * Rooms.
 */
rooms: number, 
/**
 * Bytes that the system got back.
 */
freedBytes: number, };

/**
 * The state of the connection and what waits for it, in one line of a screen.
 */
export type ConnectionSummary = { 
/**
 * Messages that the server does not have.
 */
unsent: number, 
/**
 * True if all news are here, and nothing is sent any more without the user: the end of work that is done in the
 * background.
 */
isSettled: boolean, } & ({ "state": "offline" } | { "state": "logged_out" } | { "state": "connecting" } | { "state": "catching_up", 
/**
 * Done, in rooms.
 */
done: number, 
/**
 * In all, where it is known.
 */
total: number | null, } | { "state": "live" } | { "state": "degraded", 
/**
 * The latest failure.
 */
error: string, 
/**
 * The next try, in milliseconds since 1970.
 */
nextTryMs: number, } | { "state": "paused", 
/**
 * The cause.
 */
cause: PauseReason, 
/**
 * The same for the person.
 */
reason: string, } | { "state": "elsewhere" });

/**
 * What an event says. Texts are at most 64 KiB; what is malformed counts as absent. The event's own JSON has the rest.
 */
export type Content = { "type": "text", 
/**
 * Its plain text.
 */
body: string, 
/**
 * The same as HTML that nobody has made safe: show [`Content::html`] instead.
 */
formatted: string | null, } | { "type": "notice", 
/**
 * Its plain text.
 */
body: string, 
/**
 * The same as HTML that nobody has made safe: show [`Content::html`] instead.
 */
formatted: string | null, } | { "type": "emote", 
/**
 * Its plain text.
 */
body: string, 
/**
 * The same as HTML that nobody has made safe: show [`Content::html`] instead.
 */
formatted: string | null, } | { "type": "image" } & FileContent | { "type": "video" } & FileContent | { "type": "audio" } & FileContent | { "type": "voice" } & FileContent | { "type": "file" } & FileContent | { "type": "sticker" } & FileContent | { "type": "location", 
/**
 * Where it is, as a `geo:` uri.
 */
geoUri: string, 
/**
 * Its description.
 */
body: string | null, } | { "type": "poll" } & Poll | { "type": "vote" } & Vote | { "type": "poll_end" } & PollEnd | { "type": "encrypted", 
/**
 * The algorithm that encrypted it.
 */
algorithm: string | null, 
/**
 * Why it is not, as far as it was tried.
 */
unreadable: Unreadable | null, } | { "type": "state" } & StateChange | { "type": "unknown", 
/**
 * Its plain text, if it has one.
 */
body: string | null, };

/**
 * Make a room: its id.
 */
export type CreateRoomCall = { 
/**
 * Its name.
 */
name?: string, 
/**
 * Its topic.
 */
topic?: string, 
/**
 * The people who are asked to join.
 */
invite?: Array<UserId>, 
/**
 * True for a conversation with the invited.
 */
isDirect?: boolean, 
/**
 * True if everybody may find and join it.
 */
isPublic?: boolean, };

/**
 * One step from an older list to a newer one. Steps are applied in order, each to the outcome of the one before.
 */
export type Diff<T> = { "type": "reset", 
/**
 * All items.
 */
items: Array<T>, } | { "type": "insert", 
/**
 * Its index from then on, at most the length.
 */
index: number, 
/**
 * The item.
 */
item: T, } | { "type": "set", 
/**
 * Its index.
 */
index: number, 
/**
 * The item.
 */
item: T, } | { "type": "remove", 
/**
 * Its index.
 */
index: number, } | { "type": "move", 
/**
 * Its index before.
 */
from: number, 
/**
 * Its index afterwards: where it stands once it was taken out and put in again.
 */
to: number, } | { "type": "truncate", 
/**
 * The length from then on.
 */
len: number, };

/**
 * The answer where a message was sent.
 */
export type Done = { 
/**
 * Its transaction.
 */
txnId: TxnId, };

/**
 * Give an own message another text.
 */
export type EditCall = { 
/**
 * The number of the timeline.
 */
watch: number, 
/**
 * The message.
 */
item: string, 
/**
 * The text.
 */
message: Message, };

/**
 * Give an own message another text, wherever it is shown.
 */
export type EditMessageCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * The message.
 */
target: Target, 
/**
 * The text.
 */
message: Message, };

/**
 * An edit.
 */
export type Edited = { 
/**
 * The time, in milliseconds since 1970.
 */
timestampMs: number, 
/**
 * How its sending goes, if the server has not confirmed it.
 */
sending: SendStatus | null, };

/**
 * The kinds of failures.
 */
export type ErrorCode = "invalid" | "not_logged_in" | "other_user" | "address" | "refused" | "login_refused" | "unreachable" | "busy" | "paused" | "unsendable" | "not_found" | "gone" | "not_possible" | "file" | "unsupported" | "full" | "corrupt" | "sealed" | "wrong_key" | "not_sealed" | "newer_schema" | "blocked" | "unavailable" | "closed" | "other";

/**
 * An event of a room.
 */
export type EventId = string;

/**
 * An event that the server has.
 */
export type EventItem = { 
/**
 * Its id on the server.
 */
eventId: EventId, 
/**
 * The transaction that sent it, if it was sent from here.
 */
txnId: TxnId | null, 
/**
 * Those who have read up to here and no further, latest first.
 */
receipts: Array<Receipt>, 
/**
 * Its sender, as they were then.
 */
sender: Profile, 
/**
 * True if the own user wrote it.
 */
isOwn: boolean, 
/**
 * The time, in milliseconds since 1970: the server's, or that of the writing.
 */
timestampMs: number, 
/**
 * Its type, such as `m.room.message`.
 */
kind: EventType, 
/**
 * What it says, with the latest edit.
 */
content: Content, 
/**
 * The same as it came, byte for byte.
 */
raw: Json, 
/**
 * Its latest edit, if there is one.
 */
edited: Edited | null, 
/**
 * The message that it answers, quoted.
 */
reply: Quote | null, 
/**
 * The thread that it belongs to, by its first message.
 */
threadRoot: EventId | null, 
/**
 * The thread that it began.
 */
thread: ThreadSummary | null, 
/**
 * Its reactions, in the order in which their keys first came.
 */
reactions: Array<Reaction>, 
/**
 * The number of reactions with keys that are not listed.
 */
moreReactions: number, 
/**
 * True if its content was taken back; by an unsent redaction as well.
 */
isRedacted: boolean, 
/**
 * True if it mentions the own user, or the whole room.
 */
mentionsMe: boolean, };

/**
 * The type of an event or the kind of a state entry, such as `m.room.message`.
 */
export type EventType = string;

/**
 * What went wrong, as a frontend acts on it.
 */
export type Failure = { 
/**
 * The kind.
 */
code: ErrorCode, 
/**
 * The fault, and what to do about it, for the person.
 */
message: string, 
/**
 * True if the same call may succeed later as it is.
 */
retryable: boolean, 
/**
 * At least so long it is to be waited, in milliseconds, where the server says so.
 */
retryAfterMs: number | null, 
/**
 * What lies below it, for developers.
 */
detail: string | null, };

/**
 * A file, as a message describes it. What it says of the file is the sender's word.
 */
export type FileContent = { 
/**
 * The location of its bytes: `mxc://…`, or `haos-local:…` until they are uploaded.
 */
uri: MediaUri | null, 
/**
 * True if its bytes are encrypted for the room. Whoever has the event reads them as any others, by their location.
 */
isEncrypted: boolean, 
/**
 * Its name.
 */
name: string | null, 
/**
 * The text that was sent along.
 */
caption: string | null, 
/**
 * The text that was sent along, as HTML that nobody has made safe: show
 * [`Content::html`](super::Content::html) instead.
 */
formatted: string | null, 
/**
 * Its media type.
 */
mime: string | null, 
/**
 * Its size, in bytes.
 */
size: number | null, 
/**
 * Its width, in pixels.
 */
width: number | null, 
/**
 * Its height, in pixels.
 */
height: number | null, 
/**
 * Its duration, in milliseconds.
 */
durationMs: number | null, 
/**
 * Its colours as a BlurHash, to show until its bytes are there.
 */
blurhash: string | null, 
/**
 * A smaller picture of it.
 */
thumbnail: Thumbnail | null, };

/**
 * What is known of a file that is sent; the rest is guessed from its name and its bytes.
 */
export type FileFacts = { 
/**
 * Its name.
 */
name?: string, 
/**
 * Its media type.
 */
mime?: string, 
/**
 * A text beside it.
 */
caption?: string, 
/**
 * The width of a picture or video, in pixels.
 */
width?: number, 
/**
 * The height of a picture or video, in pixels.
 */
height?: number, 
/**
 * How long a sound or video is, in milliseconds.
 */
durationMs?: number, };

/**
 * The answer to `next`, which is null at the end.
 */
export type Following = { 
/**
 * Steps of a list, or another value.
 */
next: unknown, };

/**
 * A row of the outbox that waits for the user, since somebody else may send it still.
 */
export type HeldBack = { 
/**
 * Its transaction.
 */
txnId: TxnId, 
/**
 * The room.
 */
room: RoomId, 
/**
 * The type of the event.
 */
kind: EventType, 
/**
 * The content.
 */
content: Json, 
/**
 * The event that it takes back, for a redaction.
 */
target?: EventId, 
/**
 * When it was written, in milliseconds since 1970.
 */
createdMs: number, };

/**
 * Ask somebody to join.
 */
export type InviteCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * Who.
 */
user: UserId, };

/**
 * Join a room by its id or alias: its id.
 */
export type JoinCall = { 
/**
 * Id or alias.
 */
room: string, };

/**
 * A JSON value as the text it came in. Big integers, odd escapes and key order survive.
 */
export type Json = unknown;

/**
 * Keep texts, remove others, and say what the program sends by itself: one commit.
 */
export type KeepCall = { 
/**
 * Keep these, in the place of those of the same names.
 */
put?: Array<ToKeep>, 
/**
 * Remove these.
 */
remove?: Array<KeptName>, 
/**
 * Hold these in the outbox, which sends none of them by itself.
 */
hold?: Array<HeldBack>, 
/**
 * Let these rows of the outbox go.
 */
release?: Array<TxnId>, };

/**
 * A text that is kept.
 */
export type Kept = { 
/**
 * Its name within its kind.
 */
name: StateKey, 
/**
 * The text.
 */
text: string, };

/**
 * Read what a program keeps: for each that is wanted, the texts by their names.
 */
export type KeptCall = { 
/**
 * Which.
 */
of: Array<KeptWanted>, };

/**
 * The name of a text that is kept.
 */
export type KeptName = { 
/**
 * Its kind.
 */
kind: string, 
/**
 * Its name within the kind.
 */
name: StateKey, };

/**
 * Which texts.
 */
export type KeptWanted = { 
/**
 * Their kind.
 */
kind: string, 
/**
 * This one alone, instead of all.
 */
name?: string, };

/**
 * Something the user wrote that the server has not confirmed.
 */
export type LocalItem = { 
/**
 * Its transaction.
 */
txnId: TxnId, 
/**
 * How the sending goes.
 */
status: SendStatus, 
/**
 * The latest error, for the user.
 */
error: string | null, 
/**
 * Its sender, as they were then.
 */
sender: Profile, 
/**
 * True if the own user wrote it.
 */
isOwn: boolean, 
/**
 * The time, in milliseconds since 1970: the server's, or that of the writing.
 */
timestampMs: number, 
/**
 * Its type, such as `m.room.message`.
 */
kind: EventType, 
/**
 * What it says, with the latest edit.
 */
content: Content, 
/**
 * The same as it came, byte for byte.
 */
raw: Json, 
/**
 * Its latest edit, if there is one.
 */
edited: Edited | null, 
/**
 * The message that it answers, quoted.
 */
reply: Quote | null, 
/**
 * The thread that it belongs to, by its first message.
 */
threadRoot: EventId | null, 
/**
 * The thread that it began.
 */
thread: ThreadSummary | null, 
/**
 * Its reactions, in the order in which their keys first came.
 */
reactions: Array<Reaction>, 
/**
 * The number of reactions with keys that are not listed.
 */
moreReactions: number, 
/**
 * True if its content was taken back; by an unsent redaction as well.
 */
isRedacted: boolean, 
/**
 * True if it mentions the own user, or the whole room.
 */
mentionsMe: boolean, };

/**
 * The proof of who logs in.
 */
export type Login = { 
/**
 * The user, as `ada` or `@ada:example.org`.
 */
user: string, 
/**
 * The password.
 */
password: string, } | { 
/**
 * The token.
 */
token: string, };

/**
 * Log in: the account.
 */
export type LoginCall = { 
/**
 * The homeserver's base url or the server's name.
 */
server: string, 
/**
 * The proof of who it is.
 */
login: Login, };

/**
 * Mark a room as read up to an event.
 */
export type MarkReadCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * The event.
 */
event: EventId, 
/**
 * True if the others are not told.
 */
isPrivate?: boolean, };

/**
 * The location of media: `mxc://…` once uploaded, anything else before.
 */
export type MediaUri = string;

/**
 * Which media is wanted: the original, or a thumbnail where a size is named.
 */
export type MediaWanted = { 
/**
 * Its uri, as an event has it.
 */
uri: MediaUri, 
/**
 * The width of the thumbnail, in pixels.
 */
width?: number, 
/**
 * The height of the thumbnail, in pixels.
 */
height?: number, 
/**
 * True to fill the size and cut what is over.
 */
crop?: boolean, 
/**
 * The room that refers to it.
 */
room?: RoomId, 
/**
 * The first of its bytes that is wanted; all of them, if nothing is said.
 */
start?: number, 
/**
 * The byte after the last that is wanted.
 */
end?: number, };

/**
 * A person and their relation to a room.
 */
export type Member = { 
/**
 * Their relation to it.
 */
membership: Membership, 
/**
 * Their id.
 */
id: UserId, 
/**
 * Their name in the room, if they have one.
 */
name: string | null, 
/**
 * The uri of their picture.
 */
avatar: string | null, };

/**
 * A change of somebody's place in a room (specification, client-server API, `m.room.member`).
 */
export type MemberChange = { 
/**
 * The one whose place changed.
 */
user: UserId, 
/**
 * The reason that the sender gave.
 */
reason: string | null, } & ({ "action": "joined" } | { "action": "left" } | { "action": "invite_rejected" } | { "action": "knocked" } | { "action": "knock_retracted" } | { "action": "profile_changed", 
/**
 * The name, if it changed.
 */
name: NameChange | null, 
/**
 * True if the picture changed.
 */
avatar: boolean, } | { "action": "invited" } | { "action": "invite_withdrawn" } | { "action": "knock_denied" } | { "action": "kicked" } | { "action": "banned" } | { "action": "unbanned" } | { "action": "unchanged" });

/**
 * The people of a room.
 */
export type Members = { 
/**
 * Those who take part first, then the others; each by name.
 */
members: Array<Member>, 
/**
 * True if these are all, as of the last sync. Else there may be more.
 */
isComplete: boolean, 
/**
 * The reason why the server was not asked for the others, for the user.
 */
problem: string | null, };

/**
 * The own user's relation to a room.
 */
export type Membership = "join" | "invite" | "knock" | "leave" | "ban";

/**
 * A message of text to send.
 */
export type Message = { 
/**
 * Its text.
 */
body: string, 
/**
 * The same as HTML.
 */
html?: string, 
/**
 * What it is meant as; a text if nothing is said.
 */
kind?: MessageKind, 
/**
 * The message that it answers.
 */
replyTo?: Target, 
/**
 * The first message of the thread that it belongs to.
 */
thread?: Target, 
/**
 * The people whom it mentions.
 */
mentions?: Array<UserId>, 
/**
 * True to mention the whole room.
 */
mentionRoom?: boolean, };

/**
 * What a text is meant as.
 */
export type MessageKind = "text" | "notice" | "emote";

/**
 * Another name of a member. Without one, their id is shown.
 */
export type NameChange = { 
/**
 * The name before.
 */
before: string | null, 
/**
 * The name from then on.
 */
after: string | null, };

/**
 * A call about an item of a timeline.
 */
export type OfItem = { 
/**
 * The number of what is watched.
 */
watch: number, 
/**
 * The item.
 */
item: string, };

/**
 * A call about a room.
 */
export type OfRoom = { 
/**
 * The room.
 */
room: RoomId, };

/**
 * A call about a row of the outbox.
 */
export type OfRow = { 
/**
 * Its transaction.
 */
txnId: TxnId, };

/**
 * A call about something that is watched.
 */
export type OfWatch = { 
/**
 * The number of what is watched.
 */
watch: number, };

/**
 * What the platform says of the network.
 */
export type OnlineCall = { 
/**
 * True if there is one.
 */
isOnline: boolean, };

/**
 * Something the user wrote that the server has not confirmed.
 */
export type OutboxRow = { 
/**
 * Its transaction, by which it is retried and cancelled.
 */
txnId: TxnId, 
/**
 * The room that it goes to.
 */
room: RoomId, 
/**
 * Its type, such as `m.room.message`.
 */
kind: EventType, 
/**
 * Its text, shortened.
 */
text: string, 
/**
 * The latest error, for the user.
 */
error: string | null, 
/**
 * The time at which it was written, in milliseconds since 1970.
 */
createdMs: number, } & ({ "status": "waiting" } | { "status": "sending" } | { "status": "still_trying" } | { "status": "delayed" } | { "status": "parked", "reason": ParkReason } | { "status": "sent" });

/**
 * A call that moves or widens what is watched.
 */
export type Page = { 
/**
 * The number of what is watched.
 */
watch: number, 
/**
 * How many items or rooms.
 */
want: number, };

/**
 * The reason for which a row is parked.
 */
export type ParkReason = "forbidden" | "toolarge" | "invalid" | "notfound" | "ambiguous" | "expired" | "parentfailed" | "missingmedia" | "paused" | "refused" | "restored" | "unsealed";

/**
 * Which rooms by the user's part in them.
 */
export type Part = "join" | "invite" | "all";

/**
 * The reason why nothing is sent.
 */
export type PauseReason = "logged_out" | "soft_logout" | { "refused": string } | { "encryption": string } | "user";

/**
 * A question with answers to choose from.
 */
export type Poll = { 
/**
 * Its question.
 */
question: string, 
/**
 * Its answers, at most 20.
 */
answers: Array<PollAnswer>, 
/**
 * The number of answers that one person may choose.
 */
maxSelections: number, 
/**
 * True if the votes are shown before it ends.
 */
isDisclosed: boolean, };

/**
 * An answer of a poll.
 */
export type PollAnswer = { 
/**
 * Its id, by which votes name it.
 */
id: string, 
/**
 * Its text.
 */
text: string, };

/**
 * The end of a poll.
 */
export type PollEnd = { 
/**
 * The poll's event.
 */
poll: EventId, 
/**
 * Its outcome in words, as the sender saw it.
 */
body: string | null, };

/**
 * The latest message of a room.
 */
export type Preview = { 
/**
 * Its sender.
 */
sender: Profile, 
/**
 * True if the own user wrote it.
 */
isOwn: boolean, 
/**
 * Its text, with the latest edit, shortened, in one line; "Message removed" if its content was taken back.
 */
text: string, 
/**
 * True if its content was taken back; by an unsent redaction as well.
 */
isRedacted: boolean, 
/**
 * Its time, in milliseconds since 1970.
 */
timestampMs: number, 
/**
 * Its id on the server, if it is there.
 */
eventId: EventId | null, 
/**
 * Its transaction, if it was sent from here.
 */
txnId: TxnId | null, 
/**
 * How its sending goes, or that of its edit or redaction, if the server has not confirmed it.
 */
sending: SendStatus | null, };

/**
 * A person in a room.
 */
export type Profile = { 
/**
 * Their id.
 */
id: UserId, 
/**
 * Their name in the room, if they have one.
 */
name: string | null, 
/**
 * The uri of their picture.
 */
avatar: string | null, };

/**
 * A message that is quoted by another.
 */
export type Quote = { 
/**
 * Its id, by which the answer names it.
 */
eventId: EventId, 
/**
 * Its sender, as they are now; absent if it is not stored.
 */
sender: Profile | null, 
/**
 * Its text now, shortened; absent if it is not stored or was taken back.
 */
text: string | null, };

/**
 * How far a page reached.
 */
export type Reach = { 
/**
 * True if there is nothing beyond: the room begins here, or this is the live end.
 */
isEnd: boolean, 
/**
 * The reason why older messages could not be fetched, for the user: what is stored is shown, with a gap.
 */
stopped: string | null, };

/**
 * React to a message, wherever it is shown: the transaction.
 */
export type ReactToCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * The message.
 */
target: Target, 
/**
 * The emoji.
 */
key: string, };

/**
 * A reaction to an item of a timeline.
 */
export type Reacting = { 
/**
 * The number of what is watched.
 */
watch: number, 
/**
 * The item.
 */
item: string, 
/**
 * The emoji.
 */
key: string, };

/**
 * The reactions with one key.
 */
export type Reaction = { 
/**
 * The emoji, or what stands for it.
 */
key: string, 
/**
 * The number of people.
 */
count: number, 
/**
 * Who, the first of them.
 */
senders: Array<UserId>, 
/**
 * True if the own user is among them.
 */
isOwn: boolean, 
/**
 * How the sending of the own one goes, if the server has not confirmed it.
 */
sending: SendStatus | null, };

/**
 * Somebody who has read up to an event.
 */
export type Receipt = { 
/**
 * Who.
 */
user: Profile, 
/**
 * When, in milliseconds since 1970, if the server says.
 */
timestampMs: number | null, };

/**
 * What became of a store that was found damaged when the chat was opened. Its text is for the person.
 */
export type RecoveryReport = { 
/**
 * The defect.
 */
cause: string, 
/**
 * Unsent messages, with their signals and uploads, that were carried over.
 */
unsent: number, 
/**
 * Those that could not be read; they are still in the copy that was set aside.
 */
unsentLost: number, 
/**
 * What became of the rest.
 */
carried: Array<CarriedRows>, 
/**
 * The path of the damaged copy, if one was set aside.
 */
setAside: string | null, 
/**
 * True if nothing is missing. Else the next sync brings what was lost, but for what was unsent.
 */
isWhole: boolean, 
/**
 * The same in sentences.
 */
words: Array<string>, };

/**
 * Take a message back.
 */
export type RedactCall = { 
/**
 * The number of the timeline.
 */
watch: number, 
/**
 * The message.
 */
item: string, 
/**
 * The reason.
 */
reason?: string, };

/**
 * Take a message back, wherever it is shown.
 */
export type RedactMessageCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * The message.
 */
target: Target, 
/**
 * The reason.
 */
reason?: string, };

/**
 * Remove somebody.
 */
export type RemoveMemberCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * Who.
 */
user: UserId, 
/**
 * The reason.
 */
reason?: string, };

/**
 * A room. Never parsed: room version 12 ids have no server part.
 */
export type RoomId = string;

/**
 * A room as the store has it.
 */
export type RoomInfo = { 
/**
 * Its id.
 */
id: RoomId, 
/**
 * Its name, or that of its people, if it is known.
 */
name: string | null, 
/**
 * Its topic.
 */
topic: string | null, 
/**
 * The uri of its picture.
 */
avatar: string | null, 
/**
 * True for a space.
 */
isSpace: boolean, 
/**
 * The spaces that it belongs to.
 */
spaces: Array<RoomId>, 
/**
 * The own user's relation to it.
 */
membership: Membership, 
/**
 * Messages that notify.
 */
unread: number, 
/**
 * Messages that mention the user.
 */
mentions: number, 
/**
 * The time of the latest activity, in milliseconds since 1970.
 */
lastActivityMs: number, };

/**
 * A room as the list shows it.
 */
export type RoomItem = { 
/**
 * Its id.
 */
id: RoomId, 
/**
 * Its name as people see it; never empty.
 */
name: string, 
/**
 * The uri of its picture: its own, or of a direct chat the other person's.
 */
avatar: string | null, 
/**
 * The own user's relation to it.
 */
membership: Membership, 
/**
 * The other people of a direct chat, by `m.direct`; empty for other rooms.
 */
direct: Array<UserId>, 
/**
 * True if the user marked it as a favourite.
 */
isFavourite: boolean, 
/**
 * True if its messages do not notify; mentions may.
 */
isMuted: boolean, 
/**
 * True if the user marked it as unread.
 */
isMarkedUnread: boolean, 
/**
 * Messages that notify.
 */
unread: number, 
/**
 * Messages that mention the user.
 */
mentions: number, 
/**
 * The latest message: the latest that the user has not sent yet, or else the latest stored one. None for an
 * invite, and where the latest events are no messages.
 */
latest: Preview | null, 
/**
 * Who is typing besides the user, the first of them.
 */
typing: Array<Profile>, 
/**
 * True if a draft waits there.
 */
hasDraft: boolean, 
/**
 * The time of the latest activity, in milliseconds since 1970.
 */
lastActivityMs: number, };

/**
 * Which rooms a list has: all conditions that are named hold.
 */
export type RoomQuery = { 
/**
 * `join` if nothing is said; `invite`; `all`.
 */
membership?: Part, 
/**
 * Favourites alone.
 */
favourites?: boolean, 
/**
 * Direct chats alone.
 */
direct?: boolean, 
/**
 * Unread ones alone.
 */
unread?: boolean, 
/**
 * Those of a space.
 */
space?: RoomId, 
/**
 * Those whose name has a word that begins so.
 */
name?: string, 
/**
 * Spaces instead of rooms.
 */
spaces?: boolean, };

/**
 * What the user began to write.
 */
export type SavedDraft = { 
/**
 * Its text.
 */
text: string, 
/**
 * The message that it answers.
 */
replyTo: EventId | null, 
/**
 * The message that it will edit.
 */
editOf: EventId | null, };

/**
 * Send a text: its transaction.
 */
export type SendCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * The text.
 */
message: Message, 
/**
 * The transaction, which the frontend chooses: the same call made again sends nothing more.
 */
txnId?: TxnId, };

/**
 * The status of something that is sent, as a person sees it.
 */
export type SendStatus = { "status": "waiting" } | { "status": "sending" } | { "status": "still_trying" } | { "status": "delayed" } | { "status": "parked", "reason": ParkReason } | { "status": "sent" };

/**
 * Keep a draft in the place of the one that is there.
 */
export type SetDraftCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * Its text.
 */
text: string, 
/**
 * The message that it answers.
 */
replyTo?: EventId, 
/**
 * The message that it edits.
 */
editOf?: EventId, };

/**
 * A change of a room's state.
 */
export type StateChange = { "change": "member" } & MemberChange | { "change": "created", 
/**
 * True if it is a space.
 */
isSpace: boolean, 
/**
 * The room that it continues.
 */
predecessor: RoomId | null, } | { "change": "name", 
/**
 * Its name; none if it was removed.
 */
name: string | null, } | { "change": "topic", 
/**
 * Its topic; none if it was removed.
 */
topic: string | null, } | { "change": "avatar", 
/**
 * Its picture; none if it was removed.
 */
uri: MediaUri | null, } | { "change": "encryption", 
/**
 * The algorithm.
 */
algorithm: string | null, } | { "change": "power_levels" } | { "change": "pinned", 
/**
 * Those that were pinned, at most 100.
 */
added: Array<EventId>, 
/**
 * Those that were unpinned, at most 100.
 */
removed: Array<EventId>, } | { "change": "join_rules", 
/**
 * The rule, such as `public`, `invite`, `knock`, `restricted` or `knock_restricted`.
 */
rule: string | null, } | { "change": "history_visibility", 
/**
 * The visibility: `invited`, `joined`, `shared` or `world_readable`.
 */
visibility: string | null, } | { "change": "guest_access", 
/**
 * True if they may.
 */
isAllowed: boolean, } | { "change": "canonical_alias", 
/**
 * Its main address; none if it has none any more.
 */
alias: string | null, } | { "change": "tombstone", 
/**
 * The other room.
 */
replacement: RoomId | null, 
/**
 * The sender's words about it.
 */
body: string | null, } | { "change": "space_child", 
/**
 * The room.
 */
room: RoomId, 
/**
 * False if it was removed.
 */
isAdded: boolean, } | { "change": "space_parent", 
/**
 * The space.
 */
space: RoomId, 
/**
 * False if it no longer does.
 */
isAdded: boolean, } | { "change": "other", 
/**
 * The event's type.
 */
kind: EventType, };

/**
 * The key of a state entry; may be empty.
 */
export type StateKey = string;

/**
 * How full the store is.
 */
export type StorageLevel = "ok" | "warn" | "high" | "critical";

/**
 * The size of the store, and what went for want of room.
 */
export type StorageSummary = { 
/**
 * How full it is.
 */
level: StorageLevel, 
/**
 * Bytes of content, without indexes and free pages.
 */
usedBytes: number, 
/**
 * Those of media.
 */
mediaBytes: number, 
/**
 * Bytes that it takes in all.
 */
totalBytes: number, 
/**
 * Bytes of content that it may take, if there is a bound.
 */
quotaBytes: number | null, 
/**
 * Bytes of media that went since the chat was opened; they are fetched again when they are asked for.
 */
evictedBytes: number, 
/**
 * Messages that went since the chat was opened; they are fetched again when they are asked for.
 */
prunedMessages: number, 
/**
 * True if all that may go went, and it is not enough: the user must free space, or send or cancel what is unsent.
 */
isExhausted: boolean, };

/**
 * How far the server's news are brought.
 */
export type SyncProgress = { 
/**
 * Done, in rooms.
 */
done: number, 
/**
 * In all, where it is known.
 */
total: number | null, };

/**
 * A message: one that the server has, or one that is unsent.
 */
export type Target = { 
/**
 * Its id.
 */
eventId: EventId, } | { 
/**
 * Its transaction.
 */
txnId: TxnId, };

/**
 * A thread.
 */
export type ThreadSummary = { 
/**
 * The number of its stored messages besides the first.
 */
count: number, };

/**
 * A smaller picture of a file.
 */
export type Thumbnail = { 
/**
 * The location of its bytes.
 */
uri: MediaUri, 
/**
 * True if its bytes are encrypted for the room.
 */
isEncrypted: boolean, 
/**
 * Its media type.
 */
mime: string | null, 
/**
 * Its size, in bytes.
 */
size: number | null, 
/**
 * Its width, in pixels.
 */
width: number | null, 
/**
 * Its height, in pixels.
 */
height: number | null, };

/**
 * An item of a timeline.
 */
export type TimelineItem = { 
/**
 * Its id, for its whole life in the list: a message keeps it when the server has taken it.
 */
id: string, } & ({ "type": "event" } & EventItem | { "type": "local" } & LocalItem | { "type": "gap" } | { "type": "read_marker" } | { "type": "day", 
/**
 * The number of the day.
 */
days: number, 
/**
 * The same as `YYYY-MM-DD`.
 */
date: string, });

/**
 * A text to keep.
 */
export type ToKeep = { 
/**
 * Its kind.
 */
kind: string, 
/**
 * Its name within the kind, up to 255 bytes.
 */
name: StateKey, 
/**
 * The text.
 */
text: string, };

/**
 * A transaction id: the primary key of an outbox row, never reused for other content.
 */
export type TxnId = string;

/**
 * Tell the others that the user types, or stopped.
 */
export type TypingCall = { 
/**
 * The room.
 */
room: RoomId, 
/**
 * True while they type.
 */
isTyping: boolean, };

/**
 * The reason why an encrypted message cannot be read.
 */
export type Unreadable = { "reason": "no_key" } | { "reason": "withheld", 
/**
 * The sender's reason, such as `m.unverified` (specification, "`m.room_key.withheld`").
 */
code: string | null, } | { "reason": "replayed" } | { "reason": "invalid" };

/**
 * How far a file is.
 */
export type UploadProgress = { 
/**
 * Bytes that went out, as far as this process or page sends them.
 */
sentBytes: number, 
/**
 * Bytes in all, the thumbnail's among them.
 */
totalBytes: number, 
/**
 * The latest error, for the user.
 */
error: string | null, } & ({ "status": "waiting" } | { "status": "sending" } | { "status": "still_trying" } | { "status": "delayed" } | { "status": "parked", "reason": ParkReason } | { "status": "sent" });

/**
 * A user.
 */
export type UserId = string;

/**
 * A vote.
 */
export type Vote = { 
/**
 * The poll's event.
 */
poll: EventId, 
/**
 * The ids of the chosen answers; none takes an earlier vote back.
 */
selections: Array<string>, };

/**
 * Watch something: its number, and the value as it is.
 */
export type WatchCall = { 
/**
 * What.
 */
of: Watched, };

/**
 * What can be watched.
 */
export type Watched = { "list": "rooms", 
/**
 * Which.
 */
query?: RoomQuery, 
/**
 * How many.
 */
limit: number, } | { "list": "timeline", 
/**
 * The room.
 */
room: RoomId, 
/**
 * How many items.
 */
limit: number, 
/**
 * Show this event, and what is around it.
 */
around?: EventId, 
/**
 * The reader's offset from UTC, in minutes, for days to begin by.
 */
utcOffset?: number, } | { "list": "outbox" } | { "list": "connection" } | { "list": "syncProgress" } | { "list": "storage" } | { "list": "typing", 
/**
 * The room.
 */
room: RoomId, } | { "list": "upload", 
/**
 * The transaction of its message.
 */
txnId: TxnId, };

/**
 * The answer to `watch`.
 */
export type Watching = { 
/**
 * Its number, for the calls that follow.
 */
watch: number, 
/**
 * The value as it is.
 */
now: unknown, };
