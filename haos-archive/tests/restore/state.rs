//! State: what is taken, what stays, and what belongs to one store alone.

use haos_archive::{Reason, Record, Restore, RestoreOptions, Restored, TAKEN, copy};
use haos_store_api::*;

use crate::dump::{Dump, revision};
use crate::sample::{account, key, kind, message, room, state};

async fn with_room(entries: &[StateEntry]) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(0), Membership::Join));
    for entry in entries {
        batch.put_state(entry.clone());
    }
    store.apply(batch).await.unwrap();
    store
}

async fn empty(entries: &[StateEntry]) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    for entry in entries {
        batch.put_state(entry.clone());
    }
    store.apply(batch).await.unwrap();
    store
}

async fn restored(from: &MemoryStore, to: &MemoryStore) -> Restored {
    copy(from, to, RestoreOptions::default(), Progress::none()).await.unwrap()
}

async fn value(store: &MemoryStore, of: &str) -> Option<String> {
    let value = store.state_value(Scope::Account, &kind(of), &key("")).await.unwrap();
    value.map(|value| value.as_str().to_owned())
}

#[tokio::test]
async fn the_stores_own_value_counts_and_what_it_lacks_is_taken() {
    let of_room = |value| state(Scope::Room(room(0)), "m.room.topic", "", value);
    let to = with_room(&[account("a", "1"), of_room("\"mine\"")]).await;
    let from = with_room(&[account("a", "2"), account("b", "3"), of_room("\"theirs\"")]).await;
    let counts = restored(&from, &to).await.of(Collection::State);
    assert_eq!((counts.new, counts.merged, counts.unchanged), (1, 0, 2));
    assert_eq!(value(&to, "a").await.as_deref(), Some("1"));
    assert_eq!(value(&to, "b").await.as_deref(), Some("3"));
    let topic = to.state(StateQuery::all(Scope::Room(room(0)))).await.unwrap();
    assert_eq!(topic, [of_room("\"mine\"")]);
}

#[tokio::test]
async fn a_sync_token_is_taken_by_a_store_that_had_neither_rooms_nor_a_token() {
    let token = || account(state_kind::SYNC_TOKEN, "\"theirs\"");
    let mine = account(state_kind::SYNC_TOKEN, "\"mine\"");
    let from = with_room(&[token()]).await;
    for (to, expected) in [
        (empty(&[]).await, Some("theirs")),
        (with_room(&[]).await, None),
        (with_room(std::slice::from_ref(&mine)).await, Some("mine")),
        (empty(&[mine]).await, Some("mine")),
    ] {
        let done = restored(&from, &to).await;
        assert_eq!(to.sync_token().await.unwrap().as_deref(), expected);
        let left: Vec<_> = done.left_out().collect();
        let out = (Collection::State, Reason::OfItsStore, 1);
        assert_eq!(left, [out].into_iter().filter(|_| expected != Some("theirs")).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_token_comes_last_and_not_over_one_that_came_meanwhile() {
    let to = MemoryStore::new();
    let mut restore = Restore::into(&to, RestoreOptions::default()).await.unwrap();
    restore.take(Record::Rooms(vec![Room::new(room(0), Membership::Join)])).await.unwrap();
    restore.take(Record::State(vec![account(state_kind::SYNC_TOKEN, "\"old\"")])).await.unwrap();
    let items = vec![Item::Message(message(&room(0), "a", 1))];
    restore.take(Record::Timeline(room(0), items)).await.unwrap();
    assert_eq!(to.sync_token().await.unwrap(), None);
    let mut batch = WriteBatch::relaxed();
    batch.put_state(account(state_kind::SYNC_TOKEN, "\"new\""));
    to.apply(batch).await.unwrap();
    restore.finish().await.unwrap();
    assert_eq!(to.sync_token().await.unwrap().as_deref(), Some("new"));
    assert_eq!(value(&to, haos_archive::RESTORING).await, None);
}

#[tokio::test]
async fn what_is_of_a_moment_is_taken_by_a_fresh_store_alone() {
    let kinds = [haos_queue::GATE, haos_queue::CLOCK, state_kind::IMPORT];
    let entries: Vec<_> = kinds.iter().map(|of| account(of, "{}")).collect();
    let members = state(Scope::Room(room(0)), "haos.members", "", r#"{"at":"s"}"#);
    let from = with_room(&[entries, vec![members]].concat()).await;
    let to = with_room(&[]).await;
    assert_eq!(restored(&from, &to).await.of(Collection::State).left_out, 4);
    let fresh = empty(&[]).await;
    assert_eq!(restored(&from, &fresh).await.of(Collection::State).new, 4);
}

#[tokio::test]
async fn a_login_is_taken_where_it_is_asked_for_and_the_store_has_none() {
    let claim = state(Scope::Account, state_kind::SESSION, "refresh", "1");
    let from = empty(&[account(state_kind::SESSION, "\"theirs\""), claim]).await;
    let ask = || RestoreOptions::default().session(true);
    for (to, options, expected) in [
        (empty(&[]).await, RestoreOptions::default(), None),
        (empty(&[]).await, ask(), Some("\"theirs\"")),
        (empty(&[account(state_kind::SESSION, "\"mine\"")]).await, ask(), Some("\"mine\"")),
    ] {
        copy(&from, &to, options, Progress::none()).await.unwrap();
        assert_eq!(value(&to, state_kind::SESSION).await.as_deref(), expected);
        let all = to.state(StateQuery::kind(Scope::Account, kind(state_kind::SESSION))).await.unwrap();
        assert!(all.iter().all(|entry| entry.key.as_str().is_empty()), "the claim is of the moment");
    }
}

/// A device in two stores would go on from one step twice. What reads goes along, to a store without keys.
#[tokio::test]
async fn a_device_is_not_restored_and_what_reads_is() {
    let reading = ["backed_up/1", "backup", "from/1/k", "room_key/!r", "unbacked"];
    let sending = ["fence", "olm/k", "own", "room_key_out", "secret/m"];
    let key = |name: &&str| account(&format!("{}{name}", state_kind::KEYS), "1");
    let all: Vec<_> =
        reading.iter().chain(&sending).map(key).chain([account(state_kind::SESSION, "1")]).collect();
    let from = empty(&all).await;
    let ask = || RestoreOptions::default().session(true);
    let kinds = async |of: &MemoryStore| {
        let all = of.state(StateQuery::all(Scope::Account)).await.unwrap();
        let names = all
            .into_iter()
            .filter_map(|entry| Some(entry.kind.as_str().strip_prefix(state_kind::KEYS)?.to_owned()));
        names.collect::<Vec<_>>()
    };
    let to = empty(&[]).await;
    for _ in 0..2 {
        copy(&from, &to, ask(), Progress::none()).await.unwrap();
        assert_eq!(kinds(&to).await, reading);
        assert_eq!(value(&to, state_kind::SESSION).await, None, "its device is not here");
    }
    let own = empty(&[key(&"own")]).await;
    copy(&from, &own, ask(), Progress::none()).await.unwrap();
    assert_eq!(kinds(&own).await, ["own"], "keys of two devices are not mixed");
}

#[tokio::test]
async fn a_draft_that_differs_is_kept_beside_the_stores_own() {
    let draft = |value| state(Scope::Room(room(0)), state_kind::DRAFT, "", value);
    let (mine, theirs) = (draft(r#"{"body":"mine"}"#), draft(r#"{"body":"theirs"}"#));
    let (to, from) =
        (with_room(std::slice::from_ref(&mine)).await, with_room(std::slice::from_ref(&theirs)).await);
    for turn in 0..3 {
        let counts = restored(&from, &to).await.of(Collection::State);
        assert_eq!(counts.merged, u64::from(turn == 0));
        let drafts = StateQuery::kind(Scope::Room(room(0)), kind(state_kind::DRAFT));
        let drafts = to.state(drafts).await.unwrap();
        assert_eq!(drafts.len(), 2);
        assert!(drafts.contains(&mine));
        assert!(drafts.iter().any(|draft| draft.value == theirs.value && draft.key.as_str() > "restored:"));
    }
}

#[tokio::test]
async fn records_of_another_user_are_refused_before_anything_is_written() {
    let own = |user: &str| account(state_kind::OWN_USER, &format!("\"{user}\""));
    let from = with_room(&[account("a", "1"), own("@bob:x")]).await;
    let records = [
        Record::Rooms(from.rooms(RoomQuery::default()).await.unwrap()),
        Record::State(vec![account("a", "1")]),
        Record::State(vec![own("@bob:x")]),
        Record::Timeline(room(0), Vec::new()),
    ];
    let to = empty(&[own("@ada:x")]).await;
    let held = revision(&to).await;
    let mut restore = Restore::into(&to, RestoreOptions::default()).await.unwrap();
    let mut refused = Ok(());
    for record in records {
        refused = refused.and(restore.take(record).await);
    }
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(revision(&to).await, held);
    let named = RestoreOptions::default().owner(Some("@bob:x".parse().unwrap()));
    assert_eq!(Restore::into(&to, named).await.unwrap_err().kind(), ErrorKind::Invalid);
    copy(&from, &to, RestoreOptions::default().any_owner(true), Progress::none()).await.unwrap();
    assert_eq!(value(&to, "a").await.as_deref(), Some("1"));
    assert_eq!(value(&to, state_kind::OWN_USER).await.as_deref(), Some("\"@ada:x\""));
}

#[tokio::test]
async fn state_of_a_redacted_event_comes_without_its_content() {
    let set = message(&room(0), "topic", 1);
    let entry = StateEntry {
        event_id: Some(set.id.clone()),
        ..state(Scope::Room(room(0)), "m.room.topic", "", r#"{"topic":"secret"}"#)
    };
    let from = with_room(&[entry]).await;
    for stored in [true, false] {
        let to = with_room(&[]).await;
        let relation = Relation { kind: RelationKind::Redaction, target: set.id.clone(), key: None };
        let by = Message { relation: Some(relation), ..message(&room(0), "by", 2) };
        let emptied = Message { content: Json::empty(), redacted_by: Some(by.id.clone()), ..set.clone() };
        let mut batch = WriteBatch::relaxed();
        match stored {
            true => batch.put_message(emptied),
            false => batch.put_message(by),
        };
        to.apply(batch).await.unwrap();
        restored(&from, &to).await;
        let topic = to.state(StateQuery::all(Scope::Room(room(0)))).await.unwrap();
        assert_eq!(topic[0].value, Json::empty(), "{stored}");
    }
}

#[tokio::test]
async fn a_room_that_both_have_is_as_the_store_has_it_but_for_its_latest_message() {
    let row = |name: &str, last_activity_ms| Room {
        name: Some(name.to_owned()),
        last_activity_ms,
        ..Room::new(room(0), Membership::Join)
    };
    for (theirs, expected) in [(5, 9), (20, 20)] {
        let (from, to) = (MemoryStore::new(), MemoryStore::new());
        for (store, row) in [(&from, row("theirs", theirs)), (&to, row("mine", 9))] {
            let mut batch = WriteBatch::relaxed();
            batch.put_room(row);
            store.apply(batch).await.unwrap();
        }
        restored(&from, &to).await;
        assert_eq!(Dump::of(&to).await.rooms, [row("mine", expected)]);
    }
}

#[tokio::test]
async fn what_has_no_room_is_left_out() {
    let to = MemoryStore::new();
    let mut restore = Restore::into(&to, RestoreOptions::default()).await.unwrap();
    restore.take(Record::State(vec![state(Scope::Room(room(3)), "a", "", "1")])).await.unwrap();
    let items = vec![Item::Message(message(&room(3), "a", 1))];
    restore.take(Record::Timeline(room(3), items)).await.unwrap();
    let done = restore.finish().await.unwrap();
    let expected = [(Collection::Messages, Reason::NoRoom, 1), (Collection::State, Reason::NoRoom, 1)];
    assert_eq!(done.left_out().collect::<Vec<_>>(), expected);
    assert_eq!(revision(&to).await, Revision::ZERO);
}

#[tokio::test]
async fn a_stores_notes_are_its_own() {
    let note = state(Scope::Account, TAKEN, "t", r#"{"n":0,"gone":true}"#);
    let from = empty(&[note]).await;
    let to = MemoryStore::new();
    assert_eq!(restored(&from, &to).await.of(Collection::State).left_out, 1);
    assert_eq!(revision(&to).await, Revision::ZERO);
}
