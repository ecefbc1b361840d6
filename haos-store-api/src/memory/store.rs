//! The adapter: a lock, a state of life, the change feed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::rows::Transaction;
use super::tables::Tables;
use crate::*;

/// The changes kept for a slow subscriber.
const FEED_CAPACITY: usize = 1024;

/// A store in memory: the reference for every backend, and the one for tests and for contexts without
/// storage. Clones share their rows; everything is gone with the last of them.
///
/// It needs no runtime and runs wherever the crate compiles.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    codec: Codec,
    opened_at: Revision,
    tables: Arc<Mutex<Tables>>,
    life: Mutex<Life>,
}

/// Where a store stands in its life.
struct Life {
    suspended: bool,
    /// None once closed, so that every subscriber's feed ends.
    hub: Option<ChangeHub>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_codec(Codec::plain())
    }

    /// An empty store whose rows go through `codec`, in [`Form::Binary`].
    pub fn with_codec(codec: Codec) -> Self {
        Self::over(codec.in_form(Form::Binary), Arc::default())
    }

    /// What a restart of the process would be to a store on disk: this handle and its clones are
    /// closed, and the same rows are opened anew. For tests; memory outlives no real restart.
    #[must_use]
    pub fn reopen(&self) -> Self {
        self.life().hub = None;
        Self::over(self.shared.codec.clone(), self.shared.tables.clone())
    }

    fn over(codec: Codec, tables: Arc<Mutex<Tables>>) -> Self {
        let opened_at = tables.lock().unwrap_or_else(PoisonError::into_inner).revision;
        let hub = ChangeHub::new(FEED_CAPACITY, opened_at);
        let life = Mutex::new(Life { suspended: false, hub: Some(hub) });
        Self { shared: Arc::new(Shared { codec, opened_at, tables, life }) }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.shared.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.shared.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hub of an open store.
    fn hub(&self, operation: &'static str) -> Result<ChangeHub> {
        let life = self.life();
        let closed = |message| Error::new(ErrorKind::Closed, operation, message);
        match &life.hub {
            None => Err(closed("the store is closed: open it again")),
            Some(_) if life.suspended => Err(closed("the store is suspended: resume it first")),
            Some(hub) => Ok(hub.clone()),
        }
    }

    /// Reads the rows of an open store.
    fn read<T>(&self, operation: &'static str, read: impl FnOnce(&Tables, &Codec) -> Result<T>) -> Result<T> {
        self.hub(operation)?;
        read(&self.lock(), &self.shared.codec)
    }
}

pub(super) fn not_sealed(operation: &'static str) -> Error {
    Error::new(ErrorKind::NotSealed, operation, "the store is plain: it has no keys")
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("revision", &self.lock().revision).finish_non_exhaustive()
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl StorageAdapter for MemoryStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let hub = self.hub("apply")?;
        // Held until the commit is told, so that the feed has the order of the commits.
        let mut tables = self.lock();
        let next = tables.revision.next();
        let codec = &self.shared.codec;
        let mut transaction = Transaction { tables: &mut tables, codec, journal: Vec::new(), revision: next };
        let applied = law::apply(&mut transaction, &batch, next);
        let journal = transaction.journal;
        match applied {
            Ok(applied) => {
                if applied.changed {
                    tables.revision = next;
                    hub.publish(next, touched(&batch));
                }
                let revision = tables.revision;
                Ok(Commit { revision, changed: applied.changed, assigned: applied.assigned })
            }
            Err(error) => {
                tables.roll_back(journal);
                Err(error)
            }
        }
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        self.read("room", |tables, codec| tables.room(codec, id))
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.read("rooms", |tables, codec| tables.rooms(codec, query))
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.read("message", |tables, codec| tables.message(codec, room, event))
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        self.read("timeline", |tables, codec| tables.timeline(codec, room, &page))
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.read("gaps", |tables, codec| tables.gaps(codec, room))
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.read("count", |tables, codec| Ok(tables.count(codec, room, newer_than)))
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.read("related", |tables, codec| tables.related(codec, &query))
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.read("messages", |tables, codec| tables.messages(codec, &query))
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.read("pending", |tables, codec| tables.pending_rows(codec, &query))
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.read("media", |tables, codec| {
            let key = codec.media_key(key);
            let Some(info) = tables.media_info(codec, &key)? else { return Ok(None) };
            Ok(Some(Media { info, bytes: tables.media_bytes(codec, &key, range)? }))
        })
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read("media_index", |tables, codec| tables.media_rows(codec, &query))
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.read("state", |tables, codec| tables.state_rows(codec, &query))
    }

    async fn usage(&self) -> Result<Usage> {
        self.read("usage", |tables, _| Ok(tables.usage()))
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        #[cfg(feature = "seal")]
        if task == Maintenance::Rotate {
            self.hub("maintain")?;
            return self.lock().rotate(&self.shared.codec, &progress);
        }
        self.read("maintain", |tables, codec| match task {
            Maintenance::Rotate => Err(not_sealed("maintain")),
            Maintenance::Check => Ok(tables.check(codec, &progress)),
            // Maps keep no free pages.
            Maintenance::Compact => {
                let rows = tables.row_count();
                progress.step(rows, rows);
                Ok(Report { rows, ..Report::default() })
            }
        })
    }

    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        self.hub("keys")?;
        #[cfg(feature = "seal")]
        if let Some(keyring) = self.shared.codec.keyring() {
            if change == KeyChange::Shred {
                // The rows were readable through this keyring alone.
                return self.close().await;
            }
            return keyring.adopt(&keyring.changed(&change)?).map(drop);
        }
        let _ = change;
        Err(not_sealed("keys"))
    }

    fn info(&self) -> StoreInfo {
        StoreInfo {
            backend: "memory",
            format: 1,
            location: None,
            persistent: false,
            sealed: self.shared.codec.is_sealed(),
            shared: false,
            read_only: false,
            opened_at: self.shared.opened_at,
            recovery: None,
            set_aside: Vec::new(),
            damaged: self.shared.codec.damaged(),
        }
    }

    fn changes(&self) -> Changes {
        match &self.life().hub {
            Some(hub) => hub.subscribe(),
            // A hub that nobody keeps: the feed is over before it begins.
            None => ChangeHub::new(1, self.lock().revision).subscribe(),
        }
    }

    async fn suspend(&self) -> Result<()> {
        let mut life = self.life();
        if life.hub.is_none() {
            return Err(Error::new(ErrorKind::Closed, "suspend", "the store is closed: open it again"));
        }
        life.suspended = true;
        Ok(())
    }

    async fn resume(&self) -> Result<()> {
        let mut life = self.life();
        if life.hub.is_none() {
            return Err(Error::new(ErrorKind::Closed, "resume", "the store is closed: open it again"));
        }
        life.suspended = false;
        Ok(())
    }

    async fn close(&self) -> Result<()> {
        self.life().hub = None;
        Ok(())
    }
}
