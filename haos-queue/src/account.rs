//! What holds for the whole account or for a whole room: pauses, and the server's wish for quiet.

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter,
};
use serde::{Deserialize, Serialize};

/// Under this kind, in the account's scope, a store holds the outbox's gates: the account's under the
/// empty key, a room's under its id.
pub const GATE: &str = "haos.outbox";

/// Why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PauseReason {
    /// The session ended: log in again. Rows wait; on another device, those that may have been sent are
    /// proven absent first.
    LoggedOut,
    /// The session must be renewed; it goes on on the same device.
    SoftLogout,
    /// The account was refused, with what the server said.
    Refused(String),
    /// The user or the application asked for it.
    User,
}

/// A gate in front of an account or a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Closed, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<PauseReason>,
    /// Closed until then, in milliseconds since 1970: the server asked for it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub not_before_ms: i64,
    /// How often a pause was ended. A refusal of a request that began before the last time says nothing
    /// of the session since.
    #[serde(default, skip_serializing_if = "is_none")]
    pub resumed: u64,
}

fn is_none(times: &u64) -> bool {
    *times == 0
}

fn is_zero(ms: &i64) -> bool {
    *ms == 0
}

impl Gate {
    /// The state entry that holds it; `room`: none for the account's.
    pub(crate) fn entry(&self, room: Option<&RoomId>) -> Result<StateEntry> {
        Ok(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(GATE)?,
            key: StateKey::new(room.map_or("", RoomId::as_str))?,
            event_id: None,
            value: Json::of(self)?,
        })
    }

    pub(crate) async fn read(store: &dyn StorageAdapter, room: Option<&RoomId>) -> Result<Self> {
        let key = StateKey::new(room.map_or("", RoomId::as_str))?;
        let found = store.state(StateQuery::one(Scope::Account, EventType::new(GATE)?, key)).await?;
        Ok(found.first().map(|entry| parsed(&entry.value)).unwrap_or_default())
    }

    /// The account's gate and those of rooms.
    pub(crate) async fn read_all(store: &dyn StorageAdapter) -> Result<(Self, Vec<(RoomId, Self)>)> {
        let (mut account, mut rooms) = (Self::default(), Vec::new());
        for entry in store.state(StateQuery::kind(Scope::Account, EventType::new(GATE)?)).await? {
            match entry.key.as_str() {
                "" => account = parsed(&entry.value),
                room => rooms.push((RoomId::new(room)?, parsed(&entry.value))),
            }
        }
        Ok((account, rooms))
    }
}

/// A gate that cannot be read is an open one: the server will say again what it wants.
fn parsed(value: &Json) -> Gate {
    value.parse().unwrap_or_default()
}
