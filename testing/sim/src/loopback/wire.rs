//! The lines on the wire: JSON each way.

use haos_store_api::{EventId, EventType, Json, MediaUri, Relation, Result, RoomId, StateKey, TxnId, UserId};
use serde::{Deserialize, Serialize};

use haos_queue::Event;

/// The longest line that is read, in bytes: an upload is one line.
pub(super) const MAX_LINE: u64 = 64 << 20;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireRequest {
    Send {
        txn: TxnId,
        room: RoomId,
        kind: EventType,
        /// As text, so that line ends in it are escaped and all of it stays byte for byte.
        content: String,
        target: Option<EventId>,
    },
    Create,
    Upload {
        uri: Option<MediaUri>,
        bytes: Vec<u8>,
    },
    Exists {
        uri: MediaUri,
    },
    Event {
        room: RoomId,
        id: EventId,
    },
    History {
        room: RoomId,
        from: Option<String>,
        limit: usize,
    },
    Sync {
        since: Option<String>,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WireResponse {
    Accepted { event: EventId },
    At { uri: MediaUri },
    Refused { status: u16, code: Option<String>, retry_after_ms: Option<u64> },
    Found,
    Missing,
    Event(WireEvent),
    Page { events: Vec<WireEvent>, end: Option<String> },
    Sync { next: String, rooms: Vec<WireRoom> },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WireRoom {
    pub(super) id: RoomId,
    pub(super) member: bool,
    pub(super) events: Vec<WireEvent>,
    pub(super) limited: bool,
    pub(super) prev: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct WireEvent {
    id: EventId,
    sender: UserId,
    ts: i64,
    kind: EventType,
    state_key: Option<StateKey>,
    content: String,
    relation: Option<Relation>,
    txn: Option<TxnId>,
    redacted_by: Option<EventId>,
}

impl From<Event> for WireEvent {
    fn from(event: Event) -> Self {
        Self {
            id: event.id,
            sender: event.sender,
            ts: event.timestamp_ms,
            kind: event.kind,
            state_key: event.state_key,
            content: event.content.as_str().to_owned(),
            relation: event.relation,
            txn: event.txn_id,
            redacted_by: event.redacted_by,
        }
    }
}

impl WireEvent {
    pub(super) fn event(self) -> Result<Event> {
        Ok(Event {
            id: self.id,
            sender: self.sender,
            timestamp_ms: self.ts,
            kind: self.kind,
            state_key: self.state_key,
            content: Json::new(self.content)?,
            relation: self.relation,
            txn_id: self.txn,
            redacted_by: self.redacted_by,
            extra: None,
        })
    }
}
