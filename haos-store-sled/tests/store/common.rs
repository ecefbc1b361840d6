//! What the tests share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

pub(crate) fn room_id(name: &str) -> RoomId {
    RoomId::new(format!("!{name}")).unwrap()
}

pub(crate) fn event_id(name: &str) -> EventId {
    EventId::new(format!("${name}")).unwrap()
}

pub(crate) fn at(offset: u64) -> Position {
    Position::FIRST.newer(offset).unwrap()
}

pub(crate) fn room(name: &str) -> Room {
    Room { name: Some(format!("Room {name}")), ..Room::new(room_id(name), Membership::Join) }
}

pub(crate) fn message(room: &str, event: &str, offset: u64) -> Message {
    Message {
        room: room_id(room),
        id: event_id(event),
        position: at(offset),
        sender: UserId::new("@ada:example.org").unwrap(),
        timestamp_ms: 1_700_000_000_000 + offset as i64 * 1000,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::new(format!(r#"{{"msgtype":"m.text","body":"text of {event}"}}"#)).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(crate) fn txn(name: &str) -> TxnId {
    TxnId::new(name).unwrap()
}

pub(crate) fn pending(room: &str, name: &str) -> Pending {
    Pending::new(
        txn(name),
        room_id(room),
        EventType::new("m.room.message").unwrap(),
        Json::new(format!(r#"{{"body":"unsent {name}"}}"#)).unwrap(),
        1_700_000_000_000,
    )
}

pub(crate) fn gap(room: &str, offset: u64, token: &str) -> Gap {
    Gap { room: room_id(room), position: at(offset), token: Some(token.to_owned()), revision: Revision::ZERO }
}

pub(crate) fn state(scope: Scope, kind: &str, key: &str, value: &str) -> StateEntry {
    StateEntry {
        scope,
        kind: EventType::new(kind).unwrap(),
        key: StateKey::new(key).unwrap(),
        event_id: None,
        value: Json::new(value).unwrap(),
    }
}

pub(crate) fn media_key(name: &str) -> MediaKey {
    MediaKey {
        uri: MediaUri::new(format!("mxc://example.org/{name}")).unwrap(),
        format: MediaFormat::new("").unwrap(),
    }
}

pub(crate) fn media(name: &str) -> MediaInfo {
    MediaInfo {
        key: media_key(name),
        size: 0,
        mime: Some("image/png".to_owned()),
        rooms: vec![room_id("a")],
        last_access_ms: 1,
        fetched_at_ms: 1,
        pinned: false,
    }
}

/// Rooms a and b, ten messages in each, a gap, state, 100,000 bytes of media and three outbox rows.
pub(crate) fn sample() -> WriteBatch {
    sample_with(100_000)
}

/// The same with as many bytes of media.
pub(crate) fn sample_with(media_bytes: usize) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    for name in ["a", "b"] {
        batch.put_room(Room { last_activity_ms: 7, ..room(name) });
        for n in 0..10 {
            batch.put_message(message(name, &format!("{name}{n}"), n));
        }
    }
    batch
        .put_gap(gap("a", 20, "older"))
        .put_message(message("a", "newest", 21))
        .put_state(state(Scope::Account, "haos.sync_token", "", r#""s1""#))
        .put_state(state(Scope::Room(room_id("a")), "m.room.member", "@ada:example.org", r#"{"n":1}"#))
        .put_state(state(Scope::Room(room_id("a")), "haos.draft", "", r#"{"body":"not yet sent"}"#))
        .put_media(media("cat"), pattern(media_bytes))
        .put_pending(pending("a", "t1"))
        .put_pending(Pending { media: vec![media_key("cat")], ..pending("a", "t2") })
        .put_pending(pending("b", "t3"));
    batch
}

/// Bytes that tell where they are.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|n| (n * 31 + n / 251) as u8).collect()
}

pub(crate) async fn open(path: &Path) -> SledStore {
    SledStore::open(SledOptions::new(path)).await.expect("the store opens")
}

/// Every file below a folder with its bytes.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

pub(crate) async fn txns(store: &SledStore) -> Vec<String> {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    rows.iter().map(|row| row.txn_id.to_string()).collect()
}

/// A check finds nothing.
pub(crate) async fn is_sound(store: &SledStore) {
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
