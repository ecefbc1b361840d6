use std::collections::BTreeMap;

use haos_store_api::{EventId, Scope, StateEntry, StateKey};
use serde_json::value::RawValue;

use super::budget::Budget;
use super::members::{Members, object, quoted};
use super::number::integer;
use super::unreadable::{digest, known_key, known_kind};

/// The bytes of an overlong key that stay readable before its hash.
const READABLE_BYTES: usize = 180;

/// The receipts of an `m.receipt` event as entries of kind `haos.receipt`, one for each receipt type,
/// user and thread; of several the latest, and of those at one time the one of the greatest event id. The flag says whether all of the content could be read.
///
/// The key is `type|user` or `type|user|thread`; the value is the receipt as it came with `event_id`,
/// `receipt_type` and `user_id` added.
pub(crate) fn receipts(scope: &Scope, content: &RawValue, budget: &Budget) -> (Vec<StateEntry>, bool) {
    let mut latest: BTreeMap<StateKey, ((i64, EventId), StateEntry)> = BTreeMap::new();
    let mut complete = true;
    let Some(events) = Members::of(content) else { return (Vec::new(), false) };
    for event in events.iter() {
        let id = event.name.as_deref().and_then(|name| EventId::new(name).ok());
        let types = Members::of(event.value);
        let (Some(id), Some(types)) = (id, types) else {
            complete = false;
            continue;
        };
        for kind in types.iter() {
            let Some(users) = Members::of(kind.value) else {
                complete = false;
                continue;
            };
            for user in users.iter().take_while(|_| budget.admits()) {
                let Some((ts, entry)) = receipt(scope, &id, kind.name(), user.name(), user.value) else {
                    complete = false;
                    continue;
                };
                let order = (ts, id.clone());
                match latest.get(&entry.key) {
                    Some((stored, _)) if *stored > order => {}
                    _ => drop(latest.insert(entry.key.clone(), (order, entry))),
                }
            }
        }
    }
    (latest.into_values().map(|(_, entry)| entry).collect(), complete)
}

fn receipt(
    scope: &Scope,
    event: &EventId,
    kind: &str,
    user: &str,
    raw: &RawValue,
) -> Option<(i64, StateEntry)> {
    let members = Members::of(raw)?;
    let ts = members.get("ts").and_then(integer).unwrap_or_default();
    let thread = members.text("thread_id");
    let (event, kind_text, user_text) = (quoted(event.as_str()), quoted(kind), quoted(user));
    let mut value = BTreeMap::new();
    for member in members.iter() {
        value.insert(member.name(), (member.key, member.value.get()));
    }
    value.insert("event_id", ("\"event_id\"", event.as_str()));
    value.insert("receipt_type", ("\"receipt_type\"", kind_text.as_str()));
    value.insert("user_id", ("\"user_id\"", user_text.as_str()));
    let entry = StateEntry {
        scope: scope.clone(),
        kind: known_kind("haos.receipt"),
        key: key(kind, user, thread.as_deref()),
        event_id: None,
        value: object(value.into_values()),
    };
    Some((ts, entry))
}

/// The parts joined by bars; with a hash at the end where that is too long or ambiguous.
fn key(kind: &str, user: &str, thread: Option<&str>) -> StateKey {
    let parts = [Some(kind), Some(user), thread];
    let joined = parts.into_iter().flatten().collect::<Vec<_>>().join("|");
    let plain = parts.iter().flatten().all(|part| !part.contains(['|', '\0', '#']) && !part.is_empty());
    match StateKey::new(&joined) {
        Ok(key) if plain => key,
        _ => {
            let lengths = format!("{} {} {joined}", kind.len(), user.len());
            let readable: String = joined.replace('\0', "");
            let end =
                (0..=READABLE_BYTES.min(readable.len())).rev().find(|at| readable.is_char_boundary(*at));
            known_key(&format!("{}#{}", &readable[..end.unwrap_or_default()], digest(&lengths)))
        }
    }
}
