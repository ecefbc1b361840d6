//! How far the user has read, between the answer to a receipt and the sync that repeats it.

use super::super::accepted;
use super::*;

/// `read` entries hold the event up to which the user has read, and so do `tell` rows.
struct Reads;

impl Protocol for Reads {
    fn read_marker(&self, row: &Pending) -> Option<StateEntry> {
        (row.kind.as_str() == "tell").then(|| read(&row.content.text("upto").unwrap()))
    }

    fn read_upto(&self, entry: &StateEntry) -> Option<EventId> {
        EventId::new(entry.value.text("upto").filter(|_| entry.kind.as_str() == "read")?).ok()
    }
}

fn upto(event: &str) -> Json {
    Json::new(format!(r#"{{"upto":"{event}"}}"#)).unwrap()
}

fn read(event: &str) -> StateEntry {
    let (scope, kind, key) = (Scope::Room(room()), kind("read"), StateKey::new("").unwrap());
    StateEntry { scope, kind, key, event_id: None, value: upto(event) }
}

/// The server accepts that the user has read up to an event. Returns the batch of its answer.
fn accept(store: &MemoryStore, event: &str) -> WriteBatch {
    let row = Pending::new(txn("t"), room(), kind("tell"), upto(event), 0);
    let mut batch = WriteBatch::relaxed();
    now(accepted(store, &mut batch, &row, &Reads)).unwrap();
    batch
}

fn accepts(store: &MemoryStore, event: &str) {
    now(store.apply(accept(store, event))).unwrap();
}

/// A response on a token, of the next one, that says how far the user has read, with new events.
fn response(since: Option<&str>, next: &str, event: &str, events_of_it: &str) -> SyncDelta {
    let mut delta = delta(events(events_of_it));
    delta.rooms[0].state = vec![read(event)];
    SyncDelta { since: Since::Stored(since.map(str::to_owned)), next: Some(next.to_owned()), ..delta }
}

fn syncs(store: &MemoryStore, delta: &SyncDelta) {
    assert_eq!(now(apply_sync(store, delta, None, &Reads)).unwrap(), Synced::Applied);
}

/// The event up to which the store says that the user has read.
fn marker(store: &MemoryStore) -> Option<String> {
    let StateEntry { scope, kind, key, .. } = read("");
    now(store.state_value(scope, &kind, &key)).unwrap().and_then(|value| value.text("upto"))
}

/// A room with the events `a` to `d` on a token.
fn on(token: Option<&str>) -> MemoryStore {
    let store = store("a b c d");
    if let Some(token) = token {
        apply(&store, |batch| {
            batch.put_state(sync_token(token));
        });
    }
    store
}

#[test]
fn a_response_of_before_takes_nothing_back_and_a_later_one_counts() {
    for token in [None, Some("s1")] {
        let store = on(token);
        accepts(&store, "$c");
        assert_eq!(marker(&store).as_deref(), Some("$c"), "at once");
        // Another device's, which the server told before it took ours.
        syncs(&store, &response(token, "s2", "$a", "e"));
        assert_eq!(marker(&store).as_deref(), Some("$c"), "{token:?}");
        syncs(&store, &response(Some("s2"), "s3", "$b", ""));
        assert_eq!(marker(&store).as_deref(), Some("$b"), "the server has moved it back");
        accepts(&store, "$d");
        syncs(&store, &response(Some("s3"), "s4", "$d", ""));
        assert_eq!(
            now(store.state_value(Scope::Room(room()), &kind("read"), &read("").key)).unwrap(),
            Some(upto("$d"))
        );
    }
}

#[test]
fn what_another_device_has_read_further_counts() {
    for (news, event) in [("", "$d"), ("e", "$e"), ("", "$elsewhere")] {
        let store = on(Some("s1"));
        accepts(&store, "$c");
        syncs(&store, &response(Some("s1"), "s2", event, news));
        assert_eq!(marker(&store).as_deref(), Some(event));
    }
    let store = on(Some("s1"));
    syncs(&store, &response(Some("s1"), "s2", "$d", ""));
    assert!(accept(&store, "$b").ops().is_empty(), "a receipt that was long on its way");
    assert!(accept(&store, "$d").ops().is_empty(), "the sync was faster than the answer");
}

#[test]
fn an_answer_and_a_sync_that_meet_are_planned_again() {
    let store = on(Some("s1"));
    let late = accept(&store, "$c");
    syncs(&store, &response(Some("s1"), "s2", "$a", ""));
    assert_eq!(now(store.apply(late)).unwrap_err().kind(), ErrorKind::Conflict);
    let store = on(Some("s1"));
    let delta = response(Some("s1"), "s2", "$a", "");
    let view = now(sync_view(&store, &delta, (None, &Reads), MARGINS[0])).unwrap();
    accepts(&store, "$c");
    let planned = sync(&delta, &view, &Reads).unwrap();
    assert_eq!(now(store.apply(planned)).unwrap_err().kind(), ErrorKind::Conflict);
}

#[test]
fn rows_that_say_nothing_of_it_leave_no_marker() {
    let store = on(Some("s1"));
    let row = Pending::new(txn("t"), room(), kind("typing"), upto("$c"), 0);
    let mut batch = WriteBatch::relaxed();
    now(accepted(&store, &mut batch, &row, &Reads)).unwrap();
    assert!(batch.ops().is_empty() && batch.preconditions().is_empty());
    // Of a room that is gone nothing can be stored.
    assert!(accept(&MemoryStore::new(), "$c").ops().is_empty());
}
