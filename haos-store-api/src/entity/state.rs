use serde::{Deserialize, Serialize};

use crate::{EventId, EventType, Json, RoomId, StateKey};

/// The owner of a state entry.
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
    /// Its owner.
    pub scope: Scope,
    /// Its kind, such as `m.room.member` or `haos.sync_token`.
    pub kind: EventType,
    /// Its key within the kind.
    pub key: StateKey,
    /// The event that set it, if any: the sync engine empties the value when that event is redacted.
    pub event_id: Option<EventId>,
    /// The value.
    pub value: Json,
}
