use haos_store_api::state_kind::UNREADABLE;
use haos_store_api::{EventType, Json, Scope, StateEntry, StateKey};
use sha2::{Digest, Sha256};

/// Under this kind, in the account's scope, a store counts what it did not keep.
pub(crate) const LEFT_OUT: &str = haos_store_api::state_kind::LEFT_OUT;
/// Its key for what could not be read.
pub(crate) const UNREADABLE_KEY: &str = "unreadable";

/// Sets aside an unreadable value under its own hash: the same text has the same key.
pub(crate) fn unreadable(scope: &Scope, value: Json) -> StateEntry {
    let key = known_key(&digest(value.as_str()));
    StateEntry { scope: scope.clone(), kind: known_kind(UNREADABLE), key, event_id: None, value }
}

/// The first half of a SHA-256, in hexadecimal: short enough for a key, and nobody makes two texts share it.
pub(crate) fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[expect(clippy::expect_used, reason = "only this crate's constants come here")]
pub(crate) fn known_kind(name: &'static str) -> EventType {
    EventType::new(name).expect("a constant kind is valid")
}

#[expect(clippy::expect_used, reason = "only short texts of this crate's making come here")]
pub(crate) fn known_key(text: &str) -> StateKey {
    StateKey::new(text).expect("a made key is valid")
}
