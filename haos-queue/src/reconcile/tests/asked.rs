//! The part of a room's state that is read, and its consequences.

use super::*;

fn entry(of: &str, key: &str, event: Option<&str>, value: &str) -> StateEntry {
    StateEntry {
        scope: Scope::Room(room()),
        kind: kind(of),
        key: StateKey::new(key).unwrap(),
        event_id: event.map(id),
        value: Json::of(value).unwrap(),
    }
}

fn value(store: &MemoryStore, of: &str, key: &str) -> Option<String> {
    let query = StateQuery::one(Scope::Room(room()), kind(of), StateKey::new(key).unwrap());
    now(store.state(query)).unwrap().first().map(|entry| entry.value.parse().unwrap_or_default())
}

/// A page is older than what is stored: its state counts only without a stored one.
#[test]
fn a_pages_state_counts_where_none_is_stored() {
    let store = store("|t a");
    apply(&store, |batch| {
        batch.put_state(entry("topic", "", None, "now"));
    });
    let old = vec![
        entry("topic", "", None, "before"),
        entry("name", "", None, "first"),
        entry("name", "", None, "second"),
        entry("member", "x", None, "x"),
    ];
    filled(&store, &gap(&store), &BackfillPage { state: old, ..page(events("b"), Some("u")) });
    let told =
        [("topic", ""), ("name", ""), ("member", "x")].map(|(of, key)| value(&store, of, key).unwrap());
    assert_eq!(told, ["now", "second", "x"]);
}

/// Of several entries under one key the last counts, in a room and in the account.
#[test]
fn the_last_word_counts() {
    let store = store("a");
    let account = |of: &str, value: &str| StateEntry { scope: Scope::Account, ..entry(of, "", None, value) };
    let mut brought = delta(events("b"));
    brought.rooms[0].state =
        vec![entry("topic", "", None, "1"), entry("topic", "x", None, "2"), entry("topic", "", None, "3")];
    brought.account = vec![account("p", "1"), account("q", "2"), account("p", "3")];
    let batch = now(sync_view(&store, &brought, (None, &PlainProtocol), 2)).unwrap();
    let batch = sync(&brought, &batch, &PlainProtocol).unwrap();
    let put: Vec<String> = batch
        .ops()
        .iter()
        .filter_map(|op| match op {
            Op::PutState(entry) => Some(format!("{} {} {}", entry.kind, entry.key, entry.value.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(put, [r#"topic x "2""#, r#"topic  "3""#, r#"q  "2""#, r#"p  "3""#]);
}

/// An event that set state takes that with it, whether the state or the event is stored, or neither.
#[test]
fn state_goes_with_the_event_that_set_it() {
    let redacts = |name: &str, target: &str| Event {
        relation: Some(Relation { kind: RelationKind::Redaction, target: id(target), key: None }),
        ..event(name)
    };
    let sets = |name: &str| Event {
        kind: kind("topic"),
        state_key: Some(StateKey::new("").unwrap()),
        ..event(name)
    };
    for (event_is_stored, sets_it) in [(true, true), (true, false), (false, true), (false, false)] {
        let store = store("a");
        apply(&store, |batch| {
            if event_is_stored {
                batch.put_message(sets("old").into_message(room(), at(50)));
            }
            batch.put_state(entry("topic", "", Some(if sets_it { "old" } else { "other" }), "said"));
            batch.put_state(entry("name", "", None, "stays"));
        });
        synced(&store, &delta(vec![redacts("r", "old")]));
        let left = value(&store, "topic", "").unwrap();
        assert_eq!(left == "said", !sets_it, "{event_is_stored} {sets_it}");
        assert_eq!(value(&store, "name", "").unwrap(), "stays");
    }
    // State that the answer brings itself.
    let store = store("a");
    let mut brought = delta(vec![sets("new"), redacts("r", "new")]);
    brought.rooms[0].state =
        vec![entry("topic", "", Some("new"), "said"), entry("topic", "x", Some("other"), "stays")];
    synced(&store, &brought);
    assert_eq!(value(&store, "topic", ""), Some(String::new()));
    assert_eq!(value(&store, "topic", "x").as_deref(), Some("stays"));
}
