//! Gates in front of the whole account or of one room: pauses, and the server's wish for quiet.

use std::fmt;

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, WriteBatch,
};
use serde::{Deserialize, Serialize};

use crate::{MAX_SAID_BYTES, Retries, said};

/// Under this kind, in the account's scope, a store holds the outbox's gates: the account's under the
/// empty key, a room's under its id.
pub const GATE: &str = "haos.outbox";

/// The reason why nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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
    /// A room's next message cannot be encrypted before something is done, and what that is.
    Encryption(String),
    /// The user or the application asked for it.
    User,
}

impl PauseReason {
    /// As it is stored: no longer than [`MAX_SAID_BYTES`].
    fn bounded(&self) -> Self {
        match self {
            Self::Refused(text) => Self::Refused(said(text, MAX_SAID_BYTES)),
            Self::Encryption(text) => Self::Encryption(said(text, MAX_SAID_BYTES)),
            other => other.clone(),
        }
    }
}

impl fmt::Display for PauseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LoggedOut => "logged out",
            Self::SoftLogout => "the session must be renewed",
            Self::Refused(said) => return write!(f, "the server refuses the account: {said}"),
            Self::Encryption(what) => return write!(f, "nothing can be encrypted: {what}"),
            Self::User => "at the user's wish",
        })
    }
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
    #[serde(default, skip_serializing_if = "is_zero")]
    pub resumed: u64,
}

fn is_zero<T: Default + PartialEq>(number: &T) -> bool {
    *number == T::default()
}

impl Gate {
    /// Paused for this reason; what the user paused stays so.
    pub(crate) fn refused(self, reason: &PauseReason) -> Self {
        let is_users = self.paused == Some(PauseReason::User);
        Self { paused: if is_users { self.paused } else { Some(reason.bounded()) }, ..self }
    }

    /// Not paused any more, nor kept quiet.
    pub(crate) fn opened(self) -> Self {
        Self { resumed: self.resumed + 1, ..Self::default() }
    }

    /// The state entry that holds it; `room`: none for the account's.
    fn entry(&self, room: Option<&RoomId>) -> Result<StateEntry> {
        Ok(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(GATE)?,
            key: StateKey::new(room.map_or("", RoomId::as_str))?,
            event_id: None,
            value: Json::of(self)?,
        })
    }

    pub(crate) async fn read(store: &dyn StorageAdapter, room: Option<&RoomId>) -> Result<Self> {
        Ok(Self::held(store, room).await?.0)
    }

    /// A gate and its stored value.
    async fn held(store: &dyn StorageAdapter, room: Option<&RoomId>) -> Result<(Self, Option<Json>)> {
        let key = StateKey::new(room.map_or("", RoomId::as_str))?;
        let found = store.state(StateQuery::one(Scope::Account, EventType::new(GATE)?, key)).await?;
        let value = found.into_iter().next().map(|entry| entry.value);
        Ok((value.as_ref().map(parsed).unwrap_or_default(), value))
    }

    /// Adds a change of a gate to a batch, which expects the gate as it was read.
    pub(crate) async fn change(
        store: &dyn StorageAdapter,
        room: Option<&RoomId>,
        batch: &mut WriteBatch,
        change: impl Fn(Self) -> Self,
    ) -> Result<()> {
        let (held, value) = Self::held(store, room).await?;
        let entry = change(held).entry(room)?;
        batch.expect_state(entry.scope.clone(), entry.kind.clone(), entry.key.clone(), value);
        batch.put_state(entry);
        Ok(())
    }

    /// Changes a gate; reads it again where somebody else changed it meanwhile.
    pub(crate) async fn update(
        store: &dyn StorageAdapter,
        room: Option<&RoomId>,
        change: impl Fn(Self) -> Self,
    ) -> Result<()> {
        let mut retries = Retries::default();
        loop {
            let mut batch = WriteBatch::relaxed();
            Self::change(store, room, &mut batch, &change).await?;
            if retries.committed(store.apply(batch).await)?.is_some() {
                return Ok(());
            }
        }
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
