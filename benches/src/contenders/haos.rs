//! Ours: memory, SQLite and sled, plain and sealed.

use std::path::Path;
use std::sync::Arc;

use haos_contest::{Contender, Made, room_id};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

use super::RELATED;

/// Which store.
pub trait Kind: Send + Sync {
    /// It keeps its content.
    const KEEPS: bool;

    /// Opens it.
    fn open(folder: &Path) -> impl Future<Output = Arc<dyn StorageAdapter>>;
}

macro_rules! kinds {
    ($($name:ident, $keeps:literal: $folder:ident => $open:expr;)+) => {
        $(
            #[doc = concat!("The contender ", stringify!($name), ".")]
            #[derive(Debug)]
            pub struct $name;

            impl Kind for $name {
                const KEEPS: bool = $keeps;

                async fn open($folder: &Path) -> Arc<dyn StorageAdapter> {
                    Arc::new($open)
                }
            }
        )+
    };
}

fn secret() -> Secret {
    Secret::key([7; 32])
}

fn sqlite(folder: &Path) -> SqliteOptions {
    SqliteOptions::new(folder.join("haos.db"))
}

fn sled(folder: &Path) -> SledOptions {
    SledOptions::new(folder.join("haos.sled"))
}

kinds! {
    Memory, false: _folder => MemoryStore::new();
    Sqlite, true: folder => SqliteStore::open(sqlite(folder)).await.unwrap();
    SealedSqlite, true: folder => SqliteStore::open(sqlite(folder).secret(secret())).await.unwrap();
    Sled, true: folder => SledStore::open(sled(folder)).await.unwrap();
    SealedSled, true: folder => SledStore::open(sled(folder).secret(secret())).await.unwrap();
}

/// A store, and what it runs on.
#[expect(missing_debug_implementations, reason = "a store says nothing of itself")]
pub struct Haos<K> {
    runtime: Runtime,
    store: Arc<dyn StorageAdapter>,
    kind: std::marker::PhantomData<K>,
}

fn room(n: usize) -> RoomId {
    RoomId::new(room_id(n)).unwrap()
}

fn kind() -> EventType {
    EventType::new("m.room.message").unwrap()
}

/// A message as it is stored.
pub fn stored(made: Made) -> Message {
    let target = made.target.map(|id| EventId::new(id).unwrap());
    Message {
        room: room(made.room),
        id: EventId::new(made.id).unwrap(),
        position: Position::FIRST.newer(made.position).unwrap(),
        sender: UserId::new(made.sender).unwrap(),
        timestamp_ms: made.timestamp_ms,
        kind: kind(),
        state_key: None,
        content: Json::new(made.content).unwrap(),
        relation: target.map(|target| Relation { kind: RelationKind::Thread, target, key: None }),
        txn_id: None,
        redacted_by: None,
        provisional: false,
        extra: None,
    }
}

fn file(n: usize) -> MediaKey {
    let uri = MediaUri::new(format!("mxc://example.org/{n}")).unwrap();
    MediaKey { uri, format: MediaFormat::new("file").unwrap() }
}

impl<K: Kind> Haos<K> {
    fn run<T>(&self, call: impl Future<Output = Result<T>>) -> T {
        self.runtime.block_on(call).unwrap()
    }

    /// The store, by its contract.
    pub fn store(&self) -> &dyn StorageAdapter {
        &*self.store
    }

    fn page(&self, n: usize, page: Page) -> usize {
        self.run(self.store.timeline(&room(n), page)).messages().count()
    }
}

impl<K: Kind> Contender for Haos<K> {
    type Batch = WriteBatch;

    const KEEPS: bool = K::KEEPS;

    fn open(folder: &Path) -> Self {
        let runtime = Builder::new_current_thread().build().unwrap();
        let store = runtime.block_on(K::open(folder));
        Self { runtime, store, kind: std::marker::PhantomData }
    }

    fn put_rooms(&self, rooms: usize) {
        let mut batch = WriteBatch::relaxed();
        for n in 0..rooms {
            let last_activity_ms = n as i64;
            batch.put_room(Room { last_activity_ms, ..Room::new(room(n), Membership::Join) });
        }
        self.run(self.store.apply(batch));
    }

    fn batch(&self, messages: Vec<Made>, token: Option<String>, strict: bool) -> WriteBatch {
        let mut batch = if strict { WriteBatch::strict() } else { WriteBatch::relaxed() };
        if let (Some(token), Some(last)) = (token, messages.last()) {
            let row = Room::new(room(last.room), Membership::Join);
            let (name, last_activity_ms) = (Some(token.clone()), last.timestamp_ms);
            batch.put_room(Room { name, last_activity_ms, ..row });
            batch.put_state(StateEntry {
                scope: Scope::Account,
                kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
                key: StateKey::new("").unwrap(),
                event_id: None,
                value: Json::of(&token).unwrap(),
            });
        }
        for made in messages {
            batch.put_message(stored(made));
        }
        batch
    }

    fn commit(&self, batch: WriteBatch) {
        self.run(self.store.apply(batch));
    }

    fn newest(&self, room: usize, limit: usize) -> usize {
        self.page(room, Page::newest(limit))
    }

    fn older(&self, room: usize, before: u64, limit: usize) -> Option<usize> {
        let at = Position::FIRST.newer(before).unwrap();
        Some(self.page(room, Page::older_than(Cursor::at_position(at), limit)))
    }

    fn around(&self, n: usize, id: &str, each_side: usize) -> Option<usize> {
        let id = EventId::new(id).unwrap();
        let slice = self.run(self.store.around(&room(n), &id, each_side, each_side));
        slice.map(|slice| slice.messages().count())
    }

    fn get(&self, n: usize, id: &str) -> bool {
        let id = EventId::new(id).unwrap();
        self.run(self.store.message(&room(n), &id)).is_some()
    }

    fn related(&self, n: usize, id: &str) -> Option<usize> {
        let query =
            RelationQuery { limit: RELATED, ..RelationQuery::of(&room(n), &EventId::new(id).unwrap()) };
        Some(self.run(self.store.related(query)).len())
    }

    fn rooms(&self, limit: usize) -> Option<usize> {
        Some(self.run(self.store.rooms(RoomQuery::latest(limit))).len())
    }

    fn send(&self, made: &Made) -> Option<()> {
        let txn_id = TxnId::new(format!("t{}", made.id)).unwrap();
        let content = Json::new(made.content.clone()).unwrap();
        let mut batch = WriteBatch::strict();
        batch.put_pending(Pending::new(txn_id.clone(), room(made.room), kind(), content, 0));
        self.run(self.store.apply(batch));
        let mut batch = WriteBatch::relaxed();
        batch.remove_pending(txn_id);
        self.run(self.store.apply(batch));
        Some(())
    }

    fn put_media(&self, n: usize, bytes: Vec<u8>) -> Option<()> {
        let info = MediaInfo {
            key: file(n),
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: n as i64,
            fetched_at_ms: 1,
            pinned: false,
        };
        let mut batch = WriteBatch::relaxed();
        batch.put_media(info, bytes);
        self.run(self.store.apply(batch));
        Some(())
    }

    fn media(&self, n: usize, from: u64, bytes: u64) -> Option<usize> {
        let range = ByteRange { start: from, end: from + bytes };
        self.run(self.store.media(&file(n), range)).map(|media| media.bytes.len())
    }

    fn close(self) {
        self.run(self.store.close());
    }
}
