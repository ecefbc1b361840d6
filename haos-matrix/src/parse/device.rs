use haos_store_api::{Scope, StateEntry, StateKey};
use serde_json::value::RawValue;

use super::members::{Members, json, list, quoted, text};
use super::unreadable::{digest, known_key, known_kind, unreadable_event, unreadable_member};

/// A to-device event as an entry of kind `haos.to_device` in the account's scope, whole and unread.
///
/// The server sends it once and forgets it with the next token, so it is stored with that token. The key
/// is its place in the response and a hash of it with the token. Places order one response only: who
/// handles them (a crypto layer) does so in key order, and removes them, before the next sync.
pub(crate) fn to_device(next: &str, place: usize, raw: &RawValue) -> StateEntry {
    StateEntry {
        scope: Scope::Account,
        kind: known_kind("haos.to_device"),
        key: known_key(&format!("{place:06}|{}", digest(&format!("{next} {}", raw.get())))),
        event_id: None,
        value: json(raw),
    }
}

/// Users whose device lists changed or are no longer shared, as entries of kind `haos.device_list` under
/// the user's id, the value `{"changed":true}` or `{"left":true}`: the server says it once, too.
pub(crate) fn device_lists(raw: &RawValue) -> Vec<StateEntry> {
    let Some(lists) = Members::of(raw) else {
        return vec![unreadable_member(&Scope::Account, "device_lists", raw)];
    };
    let mut entries = Vec::new();
    let mut lists: Vec<_> = lists.iter().filter(|member| member.value.get() != "null").collect();
    // Whoever is in both has keys to be fetched.
    lists.sort_by_key(|member| (member.name() == "changed", member.name().to_owned()));
    for member in lists {
        let Some(users) = list(member.value) else {
            entries.push(unreadable_member(&Scope::Account, "device_lists", raw));
            continue;
        };
        for user in users {
            entries.push(device_list(member.name(), user));
        }
    }
    entries
}

fn device_list(what: &str, user: &RawValue) -> StateEntry {
    let key = text(user).and_then(|user| StateKey::new(user).ok());
    let Some(key) = key else { return unreadable_event(&Scope::Account, user) };
    let value = super::members::object([(quoted(what).as_str(), "true")]);
    StateEntry { scope: Scope::Account, kind: known_kind("haos.device_list"), key, event_id: None, value }
}
