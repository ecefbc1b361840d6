use serde::{Deserialize, Serialize};

use super::{MediaKey, Revision};
use crate::{EventId, EventType, Json, MediaUri, RoomId, TxnId};

/// An outbox row: something the user wrote that the server has not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its transaction id, for its whole life.
    pub txn_id: TxnId,
    /// Its place in the outbox. Set by the store inside the insert (0 until then), kept ever after.
    pub seq: u64,
    /// The room it goes to.
    pub room: RoomId,
    /// The event type.
    pub kind: EventType,
    /// The content as the user wrote it.
    pub content: Json,
    /// The form that goes over the wire, where it differs (encrypted). It may become another one as long as no attempt
    /// can have arrived.
    pub wire: Option<Json>,
    /// The event type of that form, where it differs.
    pub wire_kind: Option<EventType>,
    /// Its state.
    pub state: PendingState,
    /// Attempts that count.
    pub attempts: u32,
    /// True if an attempt may have reached the server without an answer.
    pub ambiguous: bool,
    /// The time at which the user wrote it, in milliseconds since 1970.
    pub created_ms: i64,
    /// The first attempt. This moment and those below are of the store's clock, which nobody sets (`docs/semantics.md`,
    /// "Clocks"); [`created_ms`](Self::created_ms) is of the user's clock.
    pub first_attempt_ms: Option<i64>,
    /// The latest attempt.
    pub last_attempt_ms: Option<i64>,
    /// The earliest moment of the next attempt.
    pub not_before_ms: i64,
    /// The present right to send it.
    pub lease: Option<Lease>,
    /// The fence of the latest lease; it only grows.
    pub fence: u64,
    /// The row that must be sent first.
    pub parent: Option<TxnId>,
    /// The stored message it is about; never pruned meanwhile.
    pub target: Option<EventId>,
    /// Its priority among rooms; higher goes first.
    pub priority: i32,
    /// The moment at which it parks as expired.
    pub expires_at_ms: Option<i64>,
    /// The server's id, once accepted.
    pub event_id: Option<EventId>,
    /// The latest error, for the user.
    pub error: Option<String>,
    /// The sync token held at the first attempt.
    pub sync_token: Option<String>,
    /// The device that first tried; absent once that logged in again, since its transaction ids may be forgotten.
    pub device: Option<String>,
    /// Staged media it sends; never evicted meanwhile.
    pub media: Vec<MediaKey>,
    /// The server's place for the media that this row uploads, once known; a later attempt resumes there.
    pub remote: Option<MediaUri>,
    /// The newest confirmed message of the room at the first attempt: absence is proven by an unbroken
    /// timeline from here.
    pub anchor: Option<EventId>,
    /// The commit that last wrote it. Set by the store; ignored on write.
    pub revision: Revision,
}

impl Pending {
    /// Makes a fresh row, ready to be sent.
    pub fn new(txn_id: TxnId, room: RoomId, kind: EventType, content: Json, created_ms: i64) -> Self {
        Self {
            txn_id,
            seq: 0,
            room,
            kind,
            content,
            wire: None,
            wire_kind: None,
            state: PendingState::Queued,
            attempts: 0,
            ambiguous: false,
            created_ms,
            first_attempt_ms: None,
            last_attempt_ms: None,
            not_before_ms: 0,
            lease: None,
            fence: 0,
            parent: None,
            target: None,
            priority: 0,
            expires_at_ms: None,
            event_id: None,
            error: None,
            sync_token: None,
            device: None,
            media: Vec::new(),
            remote: None,
            anchor: None,
            revision: Revision::ZERO,
        }
    }

    /// The type and the content that go over the wire.
    pub fn wire_form(&self) -> (&EventType, &Json) {
        (self.wire_kind.as_ref().unwrap_or(&self.kind), self.wire.as_ref().unwrap_or(&self.content))
    }

    /// Tells if the server may have it, in the form that it has here.
    pub fn may_be_sent(&self) -> bool {
        self.ambiguous || matches!(self.state, PendingState::Sending | PendingState::Sent)
    }
}

/// The states of an outbox row. Done and Cancelled have no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PendingState {
    /// Waits for its parent.
    Blocked,
    /// Waits for its turn.
    Queued,
    /// A lease holder is sending it.
    Sending,
    /// The server accepted it; its echo has not come.
    Sent,
    /// Waits for the user or a change of circumstances.
    Parked(ParkReason),
}

/// The reason for which a row is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ParkReason {
    /// The server refused the sender.
    Forbidden,
    /// The server refused the size.
    TooLarge,
    /// The server refused the content.
    Invalid,
    /// The room or endpoint is absent.
    NotFound,
    /// It may have been sent, and neither can be proven.
    Ambiguous,
    /// It waited past its expiry.
    Expired,
    /// Its parent failed.
    ParentFailed,
    /// Its staged bytes are gone.
    MissingMedia,
    /// The user paused it.
    Paused,
    /// Another refusal.
    Refused,
    /// It was taken over from another store or an archive, and the store that it comes from may send it still. The
    /// user decides.
    Restored,
    /// Its room is encrypted, and it could not be encrypted.
    Unsealed,
}

/// The right to send a row, until a moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lease {
    /// The context that holds it.
    pub owner: String,
    /// Its end, in milliseconds since 1970.
    pub until_ms: i64,
}
