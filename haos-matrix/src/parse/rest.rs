//! The kept part of an event besides the members that have a place of their own.

use std::collections::BTreeMap;

use haos_store_api::Json;

use super::members::{Members, object};

/// Members beside the content that have a place of their own.
const PLACED: [&str; 5] = ["content", "event_id", "sender", "type", "state_key"];
/// Members that tell nothing about the event: they differ from one answer to the next, or repeat the
/// request, another member or other events.
const VOLATILE: [&str; 11] = [
    "age",
    "age_ts",
    "invite_room_state",
    "knock_room_state",
    "membership",
    "m.relations",
    "redacted_because",
    "redacted_by",
    "room_id",
    "transaction_id",
    "user_id",
];
/// The content of the state event that this one replaced.
const COPY: &str = "prev_content";
/// Members that `/messages` repeats beside `unsigned`, as the first version of the API had them.
const LEGACY: [&str; 3] = ["prev_content", "prev_sender", "replaces_state"];

/// The rest of an event: members by name, each byte for byte. The same event has the same rest, whichever
/// endpoint brought it. `repeats`: the event is known to repeat the content of another one; a copy whose
/// original is not known could not be taken back with it, and is not kept.
pub(crate) fn rest(
    members: &Members<'_>,
    unsigned: Option<&Members<'_>>,
    repeats: bool,
    keep: impl Fn(&str) -> bool,
) -> Option<Json> {
    let mut inner: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut outer = inner.clone();
    for member in unsigned.iter().flat_map(|unsigned| unsigned.iter()) {
        let name = member.name();
        if !VOLATILE.contains(&name) && member.value.get() != "null" && (repeats || name != COPY) {
            inner.insert(member.name(), (member.key, member.value.get()));
        }
    }
    for member in members.iter() {
        let (name, entry) = (member.name(), (member.key, member.value.get()));
        if entry.1 == "null" || PLACED.contains(&name) || VOLATILE.contains(&name) || !keep(name) {
            continue;
        }
        if LEGACY.contains(&name) {
            if repeats || name != COPY {
                inner.entry(name).or_insert(entry);
            }
        } else if name != "unsigned" || unsigned.is_none() {
            outer.insert(name, entry);
        }
    }
    let inner = (!inner.is_empty()).then(|| object(inner.into_values()));
    if let Some(inner) = &inner {
        outer.insert("unsigned", ("\"unsigned\"", inner.as_str()));
    }
    (!outer.is_empty()).then(|| object(outer.into_values()))
}

/// The rest of an event without what it repeats of another one.
pub(crate) fn without_copy(rest: &Json) -> Option<Json> {
    let members = Members::of_text(rest.as_str())?;
    self::rest(&members, members.object("unsigned").as_ref(), false, |_| true)
}

/// The value of a state entry: the event without what is volatile, members by name, each byte for byte.
pub(crate) fn state_value(members: &Members<'_>) -> Json {
    let mut kept = BTreeMap::new();
    for member in members.iter() {
        let name = member.name();
        if name != "unsigned" && !VOLATILE.contains(&name) && !LEGACY.contains(&name) {
            kept.insert(name, (member.key, member.value.get()));
        }
    }
    object(kept.into_values())
}
