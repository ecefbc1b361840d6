//! The content of a transport's answers, in no protocol's words.

use haos_store_api::{
    EventId, EventType, Json, Membership, Message, Position, Relation, RoomId, StateEntry, StateKey, TxnId,
    Unread, UserId,
};

/// One sync response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncDelta {
    /// The store's token when the request was made.
    pub since: Since,
    /// It was asked for without a token: a room of which nothing was left out ([`RoomDelta::limited`]) has all
    /// of its history here, so that a gap before that is closed.
    pub initial: bool,
    /// When it came, by the own clock, in milliseconds since 1970: no room's activity is later than that, since
    /// senders write whatever times they like.
    pub arrived_ms: Option<i64>,
    /// The token to go on from. Committed with everything below, never before.
    pub next: Option<String>,
    /// The rooms that changed.
    pub rooms: Vec<RoomDelta>,
    /// Account data, and whatever else hangs on the account.
    pub account: Vec<StateEntry>,
}

/// The store's token when a sync was asked for: the response is applied only on top of that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Since {
    /// Not known, as in a file of responses: the caller vouches that it is newer than what is stored.
    #[default]
    Unknown,
    /// This one, or none. An incremental sync goes on from it; an initial sync leaves it behind.
    Stored(Option<String>),
}

/// The changes of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomDelta {
    /// Which room.
    pub id: RoomId,
    /// The own membership.
    pub membership: Membership,
    /// When it began, by the server's time, if the answer tells that.
    pub since_ms: Option<i64>,
    /// The unread counts, if the answer tells them.
    pub unread: Option<Unread>,
    /// The newest events, oldest first, without a hole among them.
    pub timeline: Vec<Event>,
    /// The server left events out between the last sync and `timeline`.
    pub limited: bool,
    /// The token that pages from the first of `timeline` towards older events.
    pub prev: Option<String>,
    /// State, members, receipts and account data of the room; later entries win.
    pub state: Vec<StateEntry>,
    /// Who is typing, all of them, if the answer tells. It is not stored: it is over before it could be read again.
    pub typing: Option<Vec<UserId>>,
}

impl RoomDelta {
    /// Nothing but a membership.
    pub fn new(id: RoomId, membership: Membership) -> Self {
        Self {
            id,
            membership,
            since_ms: None,
            unread: None,
            timeline: Vec::new(),
            limited: false,
            prev: None,
            state: Vec::new(),
            typing: None,
        }
    }
}

/// One event, before it has a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Its sender.
    pub sender: UserId,
    /// The server's time, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// Its type.
    pub kind: EventType,
    /// The key, if it is a state event.
    pub state_key: Option<StateKey>,
    /// Its content.
    pub content: Json,
    /// The event that it relates to; a redaction relates to the one that it empties.
    pub relation: Option<Relation>,
    /// The transaction id, on the device that sent it.
    pub txn_id: Option<TxnId>,
    /// The redaction that emptied it, if the server says so.
    pub redacted_by: Option<EventId>,
    /// Other members worth keeping.
    pub extra: Option<Json>,
}

impl Event {
    /// The message at a place of a room.
    pub fn into_message(self, room: RoomId, position: Position) -> Message {
        Message {
            room,
            id: self.id,
            position,
            sender: self.sender,
            timestamp_ms: self.timestamp_ms,
            kind: self.kind,
            state_key: self.state_key,
            content: self.content,
            relation: self.relation,
            txn_id: self.txn_id,
            redacted_by: self.redacted_by,
            provisional: false,
            extra: self.extra,
        }
    }
}

impl From<Message> for Event {
    /// Takes a stored message's event, without its place.
    fn from(message: Message) -> Self {
        Self {
            id: message.id,
            sender: message.sender,
            timestamp_ms: message.timestamp_ms,
            kind: message.kind,
            state_key: message.state_key,
            content: message.content,
            relation: message.relation,
            txn_id: message.txn_id,
            redacted_by: message.redacted_by,
            extra: message.extra,
        }
    }
}

/// One page of older events, fetched from a gap's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillPage {
    /// The room.
    pub room: RoomId,
    /// The events, oldest first (a server that pages backwards gives them newest first: turn them).
    pub events: Vec<Event>,
    /// The token that goes on towards older events; none at the beginning of history.
    pub end: Option<String>,
    /// State of the past that came along, or that the events set: stored where the store has none under its key, and
    /// where it is [later](crate::Protocol::is_later).
    pub state: Vec<StateEntry>,
}
