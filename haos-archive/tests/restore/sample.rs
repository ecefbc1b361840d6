//! A store with something of everything.

use haos_queue::{local_event_id, local_media_uri};
use haos_store_api::*;

pub(crate) fn room(n: usize) -> RoomId {
    RoomId::new(format!("!room{n}")).unwrap()
}

pub(crate) fn kind(name: &str) -> EventType {
    EventType::new(name).unwrap()
}

pub(crate) fn key(name: &str) -> StateKey {
    StateKey::new(name).unwrap()
}

pub(crate) fn txn(name: &str) -> TxnId {
    TxnId::new(name).unwrap()
}

pub(crate) fn id(name: &str) -> EventId {
    EventId::new(format!("${name}")).unwrap()
}

pub(crate) fn message(room: &RoomId, name: &str, position: u64) -> Message {
    Message {
        room: room.clone(),
        id: id(name),
        position: Position::new(Position::FIRST.get() + position).unwrap(),
        sender: UserId::new("@ada:x").unwrap(),
        timestamp_ms: 1000 + i64::try_from(position).unwrap(),
        kind: kind("m.room.message"),
        state_key: None,
        content: Json::new(format!(r#"{{"body":"{name}"}}"#)).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(crate) fn state(scope: Scope, of: &str, name: &str, value: &str) -> StateEntry {
    StateEntry { scope, kind: kind(of), key: key(name), event_id: None, value: Json::new(value).unwrap() }
}

pub(crate) fn account(of: &str, value: &str) -> StateEntry {
    state(Scope::Account, of, "", value)
}

pub(crate) fn media(uri: &str, size: u64) -> (MediaInfo, Vec<u8>) {
    let key = MediaKey { uri: MediaUri::new(uri).unwrap(), format: MediaFormat::new("").unwrap() };
    let info = MediaInfo {
        key,
        size,
        mime: Some("image/png".to_owned()),
        rooms: vec![room(0)],
        last_access_ms: 7,
        fetched_at_ms: 5,
        pinned: false,
    };
    (info, (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect())
}

pub(crate) fn row(name: &str, of: &RoomId) -> Pending {
    let content = Json::new(format!(r#"{{"body":"{name}"}}"#)).unwrap();
    Pending::new(txn(name), of.clone(), kind("m.room.message"), content, 5)
}

/// Puts something of everything into a store, in some commits.
pub(crate) async fn fill(store: &dyn StorageAdapter, rooms: usize, messages: u64) {
    let mut batch = WriteBatch::strict();
    for n in 0..rooms {
        let last_activity_ms = i64::try_from(n * 10).unwrap();
        let name = Some(format!("room {n}"));
        batch.put_room(Room { name, last_activity_ms, ..Room::new(room(n), Membership::Join) });
        let scope = Scope::Room(room(n));
        batch.put_state(state(scope.clone(), "m.room.topic", "", r#"{"topic":"x"}"#));
        batch.put_state(state(scope.clone(), "haos.members", "", r#"{"at":"s1"}"#));
        batch.put_state(state(scope, state_kind::DRAFT, "", &format!(r#"{{"body":"draft {n}"}}"#)));
    }
    batch.put_state(account(state_kind::OWN_USER, r#""@ada:x""#));
    batch.put_state(account(state_kind::SYNC_TOKEN, r#""s1""#));
    batch.put_state(account("m.push_rules", "{}"));
    store.apply(batch).await.unwrap();
    for n in 0..rooms {
        store.apply(history(&room(n), messages)).await.unwrap();
    }
    let mut batch = WriteBatch::strict();
    for (uri, size) in [("mxc://x/empty", 0), ("mxc://x/small", 300), ("mxc://x/large", 600_000)] {
        let (info, bytes) = media(uri, size);
        batch.put_media(MediaInfo { pinned: size == 300, ..info }, bytes);
    }
    let staged = local_media_uri(&txn("up")).unwrap();
    let (info, bytes) = media(staged.as_str(), 400_000);
    batch.put_media(info.clone(), bytes);
    for row in outbox(&room(0), info.key) {
        batch.put_pending(row);
    }
    store.apply(batch).await.unwrap();
}

fn history(room: &RoomId, messages: u64) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    let gap = |position: u64, token: Option<&str>| Gap {
        room: room.clone(),
        position: Position::new(Position::FIRST.get() + position).unwrap(),
        token: token.map(str::to_owned),
        revision: Revision::ZERO,
    };
    batch.put_gap(gap(0, Some("older")));
    for n in 1..=messages {
        let plain = message(room, &format!("{room}-{n}"), n * 3);
        let target = id(&format!("{room}-{}", n - n % 7));
        let relation = |kind, key: Option<&str>| {
            Some(Relation { kind, target: target.clone(), key: key.map(str::to_owned) })
        };
        batch.put_message(match n % 7 {
            1 if n > 7 => Message { relation: relation(RelationKind::Edit, None), ..plain },
            2 if n > 7 => Message { relation: relation(RelationKind::Reaction, Some("+")), ..plain },
            3 => Message {
                content: Json::empty(),
                redacted_by: Some(id(&format!("{room}-{}", n + 1))),
                ..plain
            },
            4 => {
                let target = id(&format!("{room}-{}", n - 1));
                let relation = Some(Relation { kind: RelationKind::Redaction, target, key: None });
                Message { relation, ..plain }
            }
            5 => Message { txn_id: Some(txn(&format!("sent-{room}-{n}"))), ..plain },
            _ => plain,
        });
        if n % 11 == 0 && n < messages {
            batch.put_gap(gap(n * 3 + 1, (n % 2 == 0).then_some("t")));
        }
    }
    let guess = message(room, &format!("{room}-guess"), messages * 3 + 5);
    batch.put_message(Message { provisional: true, txn_id: Some(txn("guess")), ..guess });
    batch
}

/// A row in every state.
fn outbox(room: &RoomId, staged: MediaKey) -> Vec<Pending> {
    let plain = |name: &str| row(name, room);
    let lease = Some(Lease { owner: "x".to_owned(), until_ms: 9 });
    let tried = |name: &str, state| Pending {
        state,
        first_attempt_ms: Some(10),
        last_attempt_ms: Some(20),
        fence: 2,
        device: Some("phone".to_owned()),
        ..plain(name)
    };
    let about = Some(local_event_id(&txn("a")).unwrap());
    vec![
        plain("a"),
        Pending { state: PendingState::Blocked, parent: Some(txn("a")), target: about, ..plain("b") },
        Pending { lease, ..tried("c", PendingState::Sending) },
        Pending { ambiguous: true, ..tried("d", PendingState::Parked(ParkReason::Ambiguous)) },
        Pending { event_id: Some(id("accepted")), ..tried("e", PendingState::Sent) },
        Pending { error: Some("no".to_owned()), ..tried("f", PendingState::Parked(ParkReason::Forbidden)) },
        Pending { kind: kind("haos.upload"), media: vec![staged], ..plain("up") },
    ]
}
