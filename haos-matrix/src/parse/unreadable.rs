use haos_store_api::state_kind::UNREADABLE;
use haos_store_api::{EventId, EventType, Json, Scope, StateEntry, StateKey};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::members::{Members, json, object, quoted};

/// What cannot be read, set aside under its own hash: the same text has the same key.
pub(crate) fn unreadable(scope: &Scope, value: Json) -> StateEntry {
    let key = known_key(&digest(value.as_str()));
    StateEntry { scope: scope.clone(), kind: known_kind(UNREADABLE), key, event_id: None, value }
}

/// An event that cannot be read, as it came; under its id, if it has one, so that its redaction finds it.
pub(crate) fn unreadable_event(scope: &Scope, raw: &RawValue) -> StateEntry {
    let event_id = Members::of(raw).and_then(|event| EventId::new(event.text("event_id")?).ok());
    StateEntry { event_id, ..unreadable(scope, json(raw)) }
}

/// A member of another shape than it should have, as `{name: value}`.
pub(crate) fn unreadable_member(scope: &Scope, name: &str, raw: &RawValue) -> StateEntry {
    unreadable(scope, object([(quoted(name).as_str(), raw.get())]))
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
