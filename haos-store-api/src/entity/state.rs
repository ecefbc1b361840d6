use serde::{Deserialize, Serialize};

use crate::{EventId, EventType, Json, RoomId, StateKey};

/// Whose state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The account's: sync token, filter, account data.
    Account,
    /// A room's: room state, members, receipts, drafts.
    Room(RoomId),
}

/// One value under (scope, kind, key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// Whose.
    pub scope: Scope,
    /// Which kind, such as `m.room.member` or `haos.sync_token`.
    pub kind: EventType,
    /// Which one of the kind.
    pub key: StateKey,
    /// The event that set it, if one did: whoever syncs empties the value when that event is redacted.
    pub event_id: Option<EventId>,
    /// The value.
    pub value: Json,
}
