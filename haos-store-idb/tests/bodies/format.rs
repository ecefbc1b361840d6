//! Stores of released formats: the batches put into them, and their records as text, a line each: `table key value`,
//! key and value in hexadecimal; a named record has its name for a key, one of the log its number.

#![allow(unreachable_pub, dead_code, reason = "shared by a test of the crate and one beside it")]

use haos_store_api::*;

/// A record of a fixture.
pub struct Record {
    pub table: String,
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

impl Record {
    pub fn line(&self) -> String {
        format!("{} {} {}\n", self.table, hex(&self.key), hex(&self.value))
    }
}

pub fn records(text: &str) -> Vec<Record> {
    let record = |line: &str| {
        let mut parts = line.split(' ');
        let table = parts.next().unwrap().to_owned();
        let mut part = || parts.next().map(bytes).unwrap();
        let (key, value) = (part(), part());
        Record { table, key, value }
    };
    text.lines().map(record).collect()
}

fn room() -> RoomId {
    RoomId::new("!r:x").unwrap()
}

fn event(n: u64) -> EventId {
    EventId::new(format!("$e{n}")).unwrap()
}

fn message(n: u64) -> Message {
    Message {
        room: room(),
        id: event(n),
        position: Position::FIRST.newer(n).unwrap(),
        sender: UserId::new("@ada:x").unwrap(),
        timestamp_ms: 1_000 + n as i64,
        kind: EventType::new("m.room.message").unwrap(),
        state_key: None,
        content: Json::new(format!(r#"{{"body":"number {n}"}}"#)).unwrap(),
        relation: (n == 7).then(|| Relation { kind: RelationKind::Reply, target: event(3), key: None }),
        txn_id: (n == 8).then(|| TxnId::new("t-own").unwrap()),
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn media() -> MediaKey {
    MediaKey { uri: MediaUri::new("mxc://x/1").unwrap(), format: MediaFormat::new("file").unwrap() }
}

fn pending(n: u64) -> Pending {
    let kind = EventType::new("m.room.message").unwrap();
    let content = Json::new(format!(r#"{{"body":"unsent {n}"}}"#)).unwrap();
    Pending::new(TxnId::new(format!("t{n}")).unwrap(), room(), kind, content, n as i64)
}

/// The batches put into the store, in commits of their own: a message of each kind, a gap, and one of each.
pub fn batches() -> Vec<WriteBatch> {
    let mut first = WriteBatch::relaxed();
    first.put_room(Room { name: Some("lobby".into()), ..Room::new(room(), Membership::Join) });
    for n in 0..40 {
        first.put_message(message(n));
    }
    let gap = Gap {
        room: room(),
        position: Position::FIRST.older(1).unwrap(),
        token: Some("back".into()),
        revision: Revision::ZERO,
    };
    first.put_gap(gap);
    let mut second = WriteBatch::relaxed();
    second.remove_message(room(), event(5)).put_message(message(40)).redact(Redact {
        room: room(),
        target: event(6),
        by: event(99),
        content: Json::empty(),
    });
    let mut third = WriteBatch::strict();
    for n in 0..3 {
        third.put_pending(pending(n));
    }
    let info = MediaInfo {
        key: media(),
        size: 0,
        mime: Some("image/png".into()),
        rooms: vec![room()],
        last_access_ms: 5,
        fetched_at_ms: 4,
        pinned: true,
    };
    third.put_media(info, vec![3; 70_000]);
    third.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new("sync").unwrap(),
        key: StateKey::new("token").unwrap(),
        value: Json::new(r#""s1""#).unwrap(),
        event_id: None,
    });
    vec![first, second, third]
}

/// Checks that all of it is present, and that the store still works.
pub async fn check(store: &dyn StorageAdapter) -> Result<()> {
    assert_eq!(store.info().opened_at, Revision(3));
    let found = store.room(&room()).await?.unwrap();
    assert_eq!(found.name.as_deref(), Some("lobby"));
    let slice = store.timeline(&room(), Page::oldest(100)).await?;
    let ids: Vec<_> = slice.messages().map(|message| message.id.clone()).collect();
    let expected: Vec<_> = (0..41).filter(|n| *n != 5).map(event).collect();
    assert_eq!(ids, expected);
    assert_eq!(slice.gaps().next().unwrap().token.as_deref(), Some("back"));
    assert_eq!(store.message(&room(), &event(6)).await?.unwrap().redacted_by, Some(event(99)));
    assert_eq!(store.message(&room(), &event(39)).await?.unwrap(), message(39));
    assert_eq!(store.related(RelationQuery::of(&room(), &event(3))).await?.len(), 1);
    assert_eq!(store.messages(MessageQuery::Txn(TxnId::new("t-own").unwrap())).await?.len(), 1);
    let rows = store.pending(PendingQuery::default()).await?;
    assert_eq!(rows.iter().map(|row| row.txn_id.as_str()).collect::<Vec<_>>(), ["t0", "t1", "t2"]);
    assert_eq!(store.media(&media(), ByteRange::ALL).await?.unwrap().bytes, vec![3; 70_000]);
    assert_eq!(store.state(StateQuery::all(Scope::Account)).await?[0].value.as_str(), r#""s1""#);
    assert_eq!(store.maintain(Maintenance::Check, Progress::none()).await?.findings, [""; 0]);
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending(3)).put_message(message(41));
    assert_eq!(store.apply(batch).await?.assigned[0].1, 4);
    Ok(())
}
