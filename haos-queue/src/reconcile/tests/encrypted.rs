//! The note that a room is encrypted.

use super::*;

/// State of the kind `begin` encrypts.
struct Encrypts;

impl Protocol for Encrypts {
    fn encryption(&self) -> Option<&'static str> {
        Some("begin")
    }
}

fn keyed(event: Event, key: &str) -> Event {
    Event { state_key: Some(StateKey::new(key).unwrap()), ..event }
}

fn entry(name: &str, key: &str) -> StateEntry {
    let (scope, kind, key) = (Scope::Room(room()), kind(name), StateKey::new(key).unwrap());
    StateEntry { scope, kind, key, event_id: None, value: Json::empty() }
}

fn is_noted(store: &MemoryStore) -> bool {
    let (kind, key) = (kind(state_kind::ENCRYPTED), StateKey::new(room().as_str()).unwrap());
    now(store.state_value(Scope::Account, &kind, &key)).unwrap() == Some(Json::empty())
}

/// The words of an answer, and whether they encrypt the room.
fn words() -> Vec<(Vec<Event>, Vec<StateEntry>, bool)> {
    vec![
        (events("a b"), vec![entry("other", "")], false),
        // What anybody can send is no state.
        (events("a e!"), Vec::new(), false),
        (vec![keyed(event("e!"), "x")], vec![entry("begin", "x")], false),
        (vec![keyed(event("e"), "")], Vec::new(), false),
        (vec![event("a"), keyed(event("e!"), ""), event("b")], Vec::new(), true),
        (events("a"), vec![entry("other", ""), entry("begin", "")], true),
    ]
}

#[test]
fn a_sync_or_a_page_with_such_state_is_noted_for_good() {
    for (events, state, encrypts) in words() {
        let synced = store("z");
        let mut delta = delta(events.clone());
        delta.rooms[0].state.clone_from(&state);
        now(apply_sync(&synced, &delta, None, &Encrypts)).unwrap();
        assert_eq!(is_noted(&synced), encrypts, "{delta:?}");
        assert_eq!(now(apply_sync(&synced, &delta, None, &Encrypts)).unwrap(), Synced::Unchanged);

        let filled = store("|t z");
        let page = BackfillPage { state, ..page(events, Some("u")) };
        now(apply_page(&filled, &gap(&filled), &page, None, &Encrypts)).unwrap();
        assert_eq!(is_noted(&filled), encrypts, "{page:?}");

        // Nothing takes the note back.
        apply(&synced, |batch| {
            batch.remove_room(room());
        });
        now(apply_sync(&synced, &super::delta(super::events("y")), None, &Encrypts)).unwrap();
        assert_eq!(is_noted(&synced), encrypts);
    }
}

/// An invite tells it, too, of a room that is not stored yet.
#[test]
fn a_room_that_is_not_stored_is_noted() {
    let store = MemoryStore::new();
    let invited = RoomDelta { state: vec![entry("begin", "")], ..RoomDelta::new(room(), Membership::Invite) };
    let delta = SyncDelta { rooms: vec![invited], ..SyncDelta::default() };
    now(apply_sync(&store, &delta, None, &Encrypts)).unwrap();
    assert!(is_noted(&store));
}

/// Another store's history tells it as a page does.
#[test]
fn a_merged_run_is_noted() {
    for (events, _, encrypts) in words().into_iter().take(5) {
        let store = store("z");
        let messages =
            events.into_iter().zip(1..).map(|(event, n)| event.into_message(room(), at(n))).collect();
        let run = HistoryRun { room: room(), before: Before::Nothing, messages };
        now(merge_run(&store, &run, None, &Encrypts)).unwrap();
        assert_eq!(is_noted(&store), encrypts);
    }
}

/// Without a protocol's word nothing is noted.
#[test]
fn a_protocol_without_encryption_notes_nothing() {
    let store = store("z");
    now(apply_sync(&store, &delta(vec![keyed(event("e!"), "")]), None, &PlainProtocol)).unwrap();
    assert!(!is_noted(&store));
}
