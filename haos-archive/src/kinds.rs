//! The kinds of state that belong to one store alone.

use haos_store_api::{EventType, Json, Result, Scope, StateEntry, StateKey};
use serde::Serialize;

/// Under this kind, in the account's scope, a store notes the outbox rows that it took over or handed on, by
/// transaction id: a restore does not bring them again.
pub const TAKEN: &str = "haos.taken";

/// Under this kind, in the account's scope, a store notes that a restore into nothing has begun and not ended.
pub const RESTORING: &str = "haos.restoring";

pub(crate) fn account<T: Serialize + ?Sized>(kind: &str, key: &str, value: &T) -> Result<StateEntry> {
    Ok(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(kind)?,
        key: StateKey::new(key)?,
        event_id: None,
        value: Json::of(value)?,
    })
}
