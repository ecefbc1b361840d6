use haos_store_api::{EventType, Scope, StateEntry, StateKey, state_kind};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::members::{Members, json};
use super::unreadable::{known_key, known_kind};

/// An account data event: its type is the kind, its content the value, the key is empty.
///
/// Without a valid type or content, or under a kind of this library, it is set aside.
pub(crate) fn account_data(scope: &Scope, raw: &RawValue, budget: &Budget) -> Option<StateEntry> {
    if !budget.admits_event(raw) {
        return None;
    }
    read(scope, raw).or_else(|| budget.unreadable_event(scope, raw))
}

/// The copy of a room's account data by which lists find the room: see [`state_kind::TAGS`].
pub(crate) fn listed(entry: &StateEntry) -> Option<StateEntry> {
    let Scope::Room(room) = &entry.scope else { return None };
    let kind = match entry.kind.as_str() {
        "m.tag" => state_kind::TAGS,
        "m.marked_unread" | "com.famedly.marked_unread" => state_kind::MARKED_UNREAD,
        _ => return None,
    };
    let (kind, key) = (known_kind(kind), StateKey::new(room).ok()?);
    Some(StateEntry { scope: Scope::Account, kind, key, event_id: None, value: entry.value.clone() })
}

fn read(scope: &Scope, raw: &RawValue) -> Option<StateEntry> {
    let members = Members::of(raw)?;
    let kind = EventType::new(members.text("type")?).ok().filter(|kind| !is_own(kind.as_str()))?;
    let value = json(members.get("content")?);
    Some(StateEntry { scope: scope.clone(), kind, key: known_key(""), event_id: None, value })
}

/// Kinds that this library writes itself: what the server sends must not replace them.
pub(crate) fn is_own(kind: &str) -> bool {
    kind.starts_with("haos.")
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Json, RoomId};

    use super::*;

    #[test]
    fn what_finds_a_room_is_copied_to_the_account() {
        let scope = Scope::Room(RoomId::new("!r").unwrap());
        for (kind, copy) in [
            ("m.tag", Some("haos.tags")),
            ("m.marked_unread", Some("haos.marked_unread")),
            ("com.famedly.marked_unread", Some("haos.marked_unread")),
            ("m.fully_read", None),
        ] {
            let value = Json::new(r#"{"n": 1.0}"#).unwrap();
            let (kind, key) = (known_kind(kind), known_key(""));
            let entry = StateEntry { scope: scope.clone(), kind, key, event_id: None, value };
            let listed = listed(&entry);
            assert_eq!(listed.as_ref().map(|entry| entry.kind.as_str()), copy);
            if let Some(listed) = listed {
                assert_eq!((listed.scope, listed.key.as_str()), (Scope::Account, "!r"));
                assert_eq!(listed.value, entry.value);
            }
            assert_eq!(super::listed(&StateEntry { scope: Scope::Account, ..entry }), None);
        }
    }
}
