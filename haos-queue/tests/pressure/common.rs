use std::path::Path;
use std::sync::Arc;

use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Host, Sleep};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;
pub(crate) const MIB: u64 = 1 << 20;

pub(crate) type Store = Arc<dyn StorageAdapter>;

/// A store of each backend, empty.
pub(crate) async fn stores(folder: &Path) -> Vec<Store> {
    vec![
        Arc::new(MemoryStore::new()),
        Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("s.db"))).await.unwrap()),
        Arc::new(SledStore::open(SledOptions::new(folder.join("sled"))).await.unwrap()),
    ]
}

/// A clock that stands.
pub(crate) struct Still(pub(crate) i64);

impl Host for Still {
    fn now_ms(&self) -> i64 {
        self.0
    }

    fn steady_ms(&self) -> u64 {
        0
    }

    fn sleep(&self, _: u64) -> Sleep {
        Box::pin(std::future::pending())
    }

    fn random(&self) -> u64 {
        0
    }
}

/// The store as it is kept at a moment; it is checked only when it is told.
pub(crate) fn kept_at(store: &Store, now_ms: i64, options: PressureOptions) -> Kept {
    let options = PressureOptions { check_ms: u64::MAX, ..options };
    Kept::new(store.clone(), Arc::new(Still(now_ms)), options)
}

pub(crate) fn kept(store: &Store, quota_bytes: u64) -> Kept {
    let options = PressureOptions { quota_bytes: Some(quota_bytes), ..PressureOptions::default() };
    kept_at(store, NOW_MS, options)
}

pub(crate) fn room(n: u64) -> RoomId {
    RoomId::new(format!("!room{n}")).unwrap()
}

pub(crate) fn event(n: u64) -> EventId {
    EventId::new(format!("$event{n}")).unwrap()
}

pub(crate) fn kind(name: &str) -> EventType {
    EventType::new(name).unwrap()
}

/// Message `n` of a room, with a body of this number of bytes.
pub(crate) fn message(of: u64, n: u64, bytes: usize) -> Message {
    Message {
        room: room(of),
        id: event(n),
        position: Position::FIRST.newer(n).unwrap(),
        sender: UserId::new("@ada").unwrap(),
        timestamp_ms: n as i64,
        kind: kind("m.room.message"),
        state_key: None,
        content: Json::of(&"x".repeat(bytes)).unwrap(),
        relation: None,
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

pub(crate) fn media_key(uri: &str) -> MediaKey {
    MediaKey { uri: MediaUri::new(uri).unwrap(), format: MediaFormat::new("").unwrap() }
}

pub(crate) fn media(uri: &str, last_access_ms: i64) -> MediaInfo {
    MediaInfo {
        key: media_key(uri),
        size: 0,
        mime: None,
        rooms: vec![],
        last_access_ms,
        fetched_at_ms: 0,
        pinned: false,
    }
}

pub(crate) fn pending(n: u64) -> Pending {
    let txn_id = TxnId::new(format!("t{n}")).unwrap();
    Pending::new(txn_id, room(0), kind("m.room.message"), Json::of("unsent").unwrap(), NOW_MS)
}

/// Outbox row `n` with bytes staged for it.
pub(crate) fn enqueue(n: u64, bytes: usize) -> WriteBatch {
    let uri = format!("haos-local:t{n}");
    let mut batch = WriteBatch::strict();
    batch.put_media(MediaInfo { pinned: true, ..media(&uri, NOW_MS) }, vec![n as u8; bytes]);
    batch.put_pending(Pending { media: vec![media_key(&uri)], ..pending(n) });
    batch
}

/// The rows from `0..n` are there, and what is staged for them.
pub(crate) async fn all_unsent(store: &Store, n: u64, bytes: usize) {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    let found: Vec<_> = rows.iter().map(|row| row.txn_id.to_string()).collect();
    assert_eq!(found, (0..n).map(|n| format!("t{n}")).collect::<Vec<_>>());
    for n in 0..n {
        let staged = store.media(&media_key(&format!("haos-local:t{n}")), ByteRange::ALL).await.unwrap();
        assert!(staged.expect("staged media").bytes == vec![n as u8; bytes]);
    }
}

pub(crate) async fn put_rooms(store: &Store, n: u64) {
    let mut batch = WriteBatch::relaxed();
    for n in 0..n {
        batch.put_room(Room { last_activity_ms: n as i64, ..Room::new(room(n), Membership::Join) });
    }
    store.apply(batch).await.unwrap();
}

/// Payload bytes, as a kept store counts them.
pub(crate) async fn used(store: &Store) -> u64 {
    store.usage().await.unwrap().collections.iter().map(|(_, size)| size.bytes).sum()
}
