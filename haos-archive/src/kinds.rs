//! The kinds of state that belong to one store alone.

use haos_store_api::{EventType, Json, Result, Scope, StateEntry, StateKey, state_kind};
use serde::Serialize;

/// Under this kind, in the account's scope, a store notes the outbox rows that it took over or handed on, by
/// transaction id: a restore does not bring them again.
pub const TAKEN: &str = "haos.taken";

/// Under this kind, in the account's scope, a store notes that a restore into nothing has begun and not ended.
pub const RESTORING: &str = "haos.restoring";

/// The kinds of keys that read what was received, and by which these are found. With all others a device sends: its
/// identity, and ratchets of which no step may be taken in two stores.
const READING: [&str; 5] = ["room_key/", "from/", "backed_up/", "unbacked", "backup"];

/// Tells what may become of a key in another store, if the kind is one of keys: true if it only reads.
pub(crate) fn reads(kind: &str) -> Option<bool> {
    let name = kind.strip_prefix(state_kind::KEYS)?;
    Some(READING.iter().any(|of| if of.ends_with('/') { name.starts_with(of) } else { name == *of }))
}

pub(crate) fn account<T: Serialize + ?Sized>(kind: &str, key: &str, value: &T) -> Result<StateEntry> {
    Ok(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(kind)?,
        key: StateKey::new(key)?,
        event_id: None,
        value: Json::of(value)?,
    })
}
