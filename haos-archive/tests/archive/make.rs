//! Stores to back up, made of a number.

use haos_backends::Store;
use haos_store_api::*;
use proptest::prelude::*;

/// The shape of a store.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) seed: u64,
    pub(crate) rooms: u64,
    pub(crate) messages: u64,
    pub(crate) state: u64,
    pub(crate) media: Vec<usize>,
    pub(crate) pending: u64,
    /// The bytes of one message's content.
    pub(crate) huge: usize,
}

/// Any store: none of something, odd texts, media of no bytes and of several chunks, long rows.
pub(crate) fn shapes() -> impl Strategy<Value = Shape> {
    let sizes = prop_oneof![Just(0), 1..5000_usize, Just(256 << 10), 500_000..600_000_usize];
    (
        any::<u64>(),
        0..4_u64,
        0..150_u64,
        0..90_u64,
        prop::collection::vec(sizes, 0..5),
        0..80_u64,
        prop_oneof![3 => Just(0), 1 => Just(700_000)],
    )
        .prop_map(|(seed, rooms, messages, state, media, pending, huge)| Shape {
            seed,
            rooms,
            messages,
            state,
            media,
            pending,
            huge,
        })
}

/// A small store with something of everything.
pub(crate) fn small() -> Shape {
    Shape { seed: 1, rooms: 2, messages: 5, state: 3, media: vec![0, 900], pending: 2, huge: 0 }
}

/// One with less of everything, for tests of each of its archive's bytes.
pub(crate) fn tiny() -> Shape {
    Shape { seed: 2, rooms: 1, messages: 2, state: 1, media: vec![0, 20], pending: 1, huge: 0 }
}

/// A random number after another.
pub(crate) fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

pub(crate) fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    (0..len).map(|_| next(&mut seed) as u8).collect()
}

pub(crate) fn room(n: u64) -> RoomId {
    RoomId::new(format!("!räum{n}")).unwrap()
}

pub(crate) fn event(n: u64) -> EventId {
    EventId::new(format!("$event{n}")).unwrap()
}

pub(crate) fn kind(text: &str) -> EventType {
    EventType::new(text).unwrap()
}

pub(crate) fn json(text: &str) -> Json {
    Json::new(text).unwrap()
}

pub(crate) fn message(room: RoomId, n: u64, body: &str) -> Message {
    Message {
        room,
        id: event(n),
        position: Position::FIRST.newer(n).unwrap(),
        sender: UserId::new("@ada:example.org").unwrap(),
        timestamp_ms: 1_000 + n as i64,
        kind: kind("m.room.message"),
        state_key: None,
        content: Json::of(&std::collections::BTreeMap::from([("body", body)])).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(crate) fn media_key(n: u64) -> MediaKey {
    let format = if n.is_multiple_of(2) { "" } else { "thumb" };
    MediaKey {
        uri: MediaUri::new(format!("mxc://m/{n}")).unwrap(),
        format: MediaFormat::new(format).unwrap(),
    }
}

pub(crate) fn media(n: u64) -> MediaInfo {
    MediaInfo {
        key: media_key(n),
        size: 0,
        mime: n.is_multiple_of(2).then(|| "image/png".to_owned()),
        rooms: (0..n % 3).map(room).collect(),
        last_access_ms: n as i64,
        fetched_at_ms: 7 * n as i64,
        pinned: n.is_multiple_of(3),
    }
}

pub(crate) fn state(scope: Scope, n: u64, value: &str) -> StateEntry {
    let event_id = n.is_multiple_of(2).then(|| event(n));
    let key = StateKey::new(if n == 0 { String::new() } else { format!("@user{n}") }).unwrap();
    StateEntry { scope, kind: kind("m.room.member"), key, event_id, value: json(value) }
}

/// The login, with its token.
pub(crate) fn session() -> StateEntry {
    StateEntry {
        scope: Scope::Account,
        kind: kind(state_kind::SESSION),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: json(r#"{"token":"syt_secret"}"#),
    }
}

fn pending(n: u64, seed: &mut u64) -> Pending {
    let txn = |n: u64| TxnId::new(format!("txn{n}")).unwrap();
    let mut row = Pending::new(txn(n), room(n % 2), kind("m.room.message"), json(r#"{"body":"unsent"}"#), 9);
    if next(seed).is_multiple_of(2) {
        row.state = PendingState::Parked(ParkReason::Expired);
        row.wire = Some(json("null"));
        row.wire_kind = Some(EventType::new("m.wire").unwrap());
        row.lease = Some(Lease { owner: "tab".to_owned(), until_ms: 9 });
        (row.parent, row.target, row.anchor) = (Some(txn(n / 2)), Some(event(n)), Some(event(1)));
        (row.error, row.media) = (Some("no \u{1f600}".to_owned()), vec![media_key(n)]);
        (row.remote, row.device) = (Some(media_key(n).uri), Some("D".to_owned()));
        (row.attempts, row.fence, row.priority, row.ambiguous) = (3, 9, -4, true);
        (row.first_attempt_ms, row.last_attempt_ms, row.not_before_ms) = (Some(1), Some(-2), 3);
        (row.expires_at_ms, row.event_id, row.sync_token) = (Some(4), Some(event(2)), Some("s1".to_owned()));
    }
    row
}

fn a_message(room: RoomId, n: u64, seed: &mut u64, huge: usize) -> Message {
    let length = if n == 3 { huge } else { 0 };
    let mut message = message(room, n, &format!("{} \u{1f980} \"{n}\"\n{}", next(seed), "x".repeat(length)));
    match next(seed) % 5 {
        0 => {
            message.content = json("{ \"n\" : 123456789012345678901234567890,\n\"cut\":\"\\ud83d\" }");
            message.extra = Some(json("null"));
            message.txn_id = Some(TxnId::new(format!("m{n}")).unwrap());
        }
        1 => {
            let relation =
                Relation { kind: RelationKind::Reaction, target: event(1), key: Some("+".to_owned()) };
            message.relation = Some(relation);
        }
        2 => (message.kind, message.state_key) = (kind("m.room.topic"), Some(StateKey::new("").unwrap())),
        3 => message.provisional = true,
        _ => {}
    }
    message
}

/// Writes a store of this shape.
pub(crate) async fn fill(store: &Store, shape: &Shape) {
    let mut seed = shape.seed;
    for n in 0..shape.rooms {
        let mut batch = WriteBatch::relaxed();
        let mut row = Room::new(room(n), [Membership::Join, Membership::Leave][n as usize % 2]);
        row.last_activity_ms = next(&mut seed) as i64;
        if n.is_multiple_of(2) {
            (row.name, row.topic) = (Some("Lobby \u{0}é".to_owned()), Some(String::new()));
            (row.avatar, row.kind) = (Some("mxc://a".to_owned()), Some(kind("m.space")));
            row.spaces = vec![room(8), room(9)];
            row.unread = Unread { notifications: 3, highlights: 1 };
        }
        batch.put_room(row);
        for m in 0..shape.messages {
            match next(&mut seed) % 9 {
                0 => {
                    let (position, token) = (Position::FIRST.newer(m).unwrap(), Some(format!("t{m}")));
                    let token = token.filter(|_| m.is_multiple_of(2));
                    batch.put_gap(Gap { room: room(n), position, token, revision: Revision::ZERO });
                }
                _ => {
                    batch.put_message(a_message(room(n), m, &mut seed, shape.huge));
                }
            }
        }
        for s in 0..shape.state {
            batch.put_state(state(Scope::Room(room(n)), s, &format!("[{}]", next(&mut seed))));
        }
        store.apply(batch).await.unwrap();
    }
    let mut batch = WriteBatch::relaxed();
    (0..shape.state).for_each(|s| {
        batch.put_state(state(Scope::Account, s, "\"s\""));
    });
    (0..shape.pending).for_each(|p| {
        batch.put_pending(pending(p, &mut seed));
    });
    for (n, size) in shape.media.iter().enumerate() {
        batch.put_media(media(n as u64), noise(*size, shape.seed));
    }
    store.apply(batch).await.unwrap();
}
