use haos_store_api::backend::law::sort_by;
use haos_store_api::{Scope, StateEntry, StateKey};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::members::{Member, Members, json, list, quoted, text};
use super::unreadable::{digest, known_key, known_kind};

/// The kind of events for this device.
pub(crate) const TO_DEVICE_KIND: &str = "haos.to_device";
/// The kind of users whose devices changed.
pub(crate) const DEVICE_LIST: &str = "haos.device_list";

/// A to-device event as an entry of kind `haos.to_device` in the account's scope, whole and unread.
///
/// The server sends it once and forgets it with the next token, so it is stored with that token. The key
/// is its place in the response and a hash of it with the token. Places order one response only: who
/// handles them (a crypto layer) does so in key order, and removes them, before the next sync.
pub(crate) fn to_device(next: &str, place: usize, raw: &RawValue) -> StateEntry {
    StateEntry {
        scope: Scope::Account,
        kind: known_kind(TO_DEVICE_KIND),
        key: known_key(&format!("{place:06}|{}", digest(&format!("{next} {}", raw.get())))),
        event_id: None,
        value: json(raw),
    }
}

/// Users whose device lists changed or are no longer shared, as entries of kind `haos.device_list` under
/// the user's id, the value `{"changed":true}` or `{"left":true}`: the server says it once, too.
pub(crate) fn device_lists(raw: &RawValue, budget: &Budget) -> Vec<StateEntry> {
    let Some(lists) = Members::of(raw) else {
        return budget.unreadable_member(&Scope::Account, "device_lists", raw).into_iter().collect();
    };
    let mut entries = Vec::new();
    let mut lists: Vec<_> = lists.iter().filter(|member| member.value.get() != "null").collect();
    // Whoever is in both has keys to be fetched.
    let is_changed = |member: &Member<'_>| member.name() == "changed";
    sort_by(&mut lists, |a, b| (is_changed(a), a.name()).cmp(&(is_changed(b), b.name())));
    for member in lists {
        let Some(users) = list(member.value) else {
            entries.extend(budget.unreadable_member(&Scope::Account, "device_lists", raw));
            continue;
        };
        for user in users.into_iter().take_while(|_| budget.admits()) {
            let entry = device_list(member.name(), user);
            entries.extend(entry.or_else(|| budget.unreadable_event(&Scope::Account, user)));
        }
    }
    entries
}

fn device_list(what: &str, user: &RawValue) -> Option<StateEntry> {
    let key = text(user).and_then(|user| StateKey::new(user).ok())?;
    let value = super::members::object([(quoted(what).as_str(), "true")]);
    let kind = known_kind(DEVICE_LIST);
    Some(StateEntry { scope: Scope::Account, kind, key, event_id: None, value })
}
