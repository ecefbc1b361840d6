//! The reference adapter: the engine over a map that ends with the process, a stage of life, the change feed.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::kv::{self, Head, Layer, Map, Reader};
use crate::*;

/// The changes kept for a slow subscriber.
const FEED_CAPACITY: usize = 1024;

/// A store in memory: the reference for every backend, and the one for tests and for contexts without storage. Clones
/// share their rows; the last clone's end removes everything.
///
/// It needs no runtime and runs wherever the crate compiles.
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    codec: Codec,
    opened_at: Revision,
    rows: Arc<Mutex<Rows>>,
    life: Mutex<Life>,
}

/// The rows and their counters.
#[derive(Default)]
struct Rows {
    tree: Map,
    head: Head,
}

impl Rows {
    fn write(&mut self, layer: Layer<Arc<[u8]>>) {
        self.head = layer.head;
        for (key, value) in layer.into_changes() {
            match value {
                Some(value) => drop(self.tree.insert(key.into(), value)),
                None => drop(self.tree.remove(key.as_slice())),
            }
        }
    }
}

/// The stage of a store's life.
struct Life {
    suspended: bool,
    /// Absent once closed, so that every subscriber's feed ends.
    hub: Option<ChangeHub>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::with_codec(Codec::plain())
    }

    /// Makes an empty store whose rows go through `codec`, in [`Form::Binary`].
    pub fn with_codec(codec: Codec) -> Self {
        Self::over(codec.in_form(Form::Binary), Arc::default())
    }

    /// Imitates a restart of the process for a store on disk: closes this handle and its clones, and opens the same
    /// rows again. For tests; memory outlives no real restart.
    #[must_use]
    pub fn reopen(&self) -> Self {
        self.life().hub = None;
        Self::over(self.shared.codec.clone(), self.shared.rows.clone())
    }

    fn over(codec: Codec, rows: Arc<Mutex<Rows>>) -> Self {
        let opened_at = rows.lock().unwrap_or_else(PoisonError::into_inner).head.revision;
        let hub = ChangeHub::new(FEED_CAPACITY, opened_at);
        let life = Mutex::new(Life { suspended: false, hub: Some(hub) });
        Self { shared: Arc::new(Shared { codec, opened_at, rows, life }) }
    }

    fn life(&self) -> MutexGuard<'_, Life> {
        self.shared.life.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.shared.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the hub of an open store.
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
    fn read<T>(&self, operation: &'static str, read: impl FnOnce(Reader<'_, Map>) -> Result<T>) -> Result<T> {
        self.hub(operation)?;
        read(Reader::new(&self.lock().tree, &self.shared.codec, operation))
    }

    /// Seals every row with a new data key.
    fn rotate(&self, progress: &Progress) -> Result<Report> {
        let codec = &self.shared.codec;
        let keyring = codec.keyring().ok_or_else(|| not_sealed("maintain"))?;
        if let Some(record) = keyring.rotation_begun()? {
            keyring.adopt(&record)?;
        }
        let mut rows = self.lock();
        let (mut report, mut from) = (Report::default(), Some(Vec::new()));
        while let Some(key) = from.take() {
            let mut layer = Layer::new(rows.head);
            let step = kv::reseal(Reader::new(&rows.tree, codec, "maintain"), &mut layer, key)?;
            rows.write(layer);
            report.rows += step.resealed;
            step.damaged.iter().for_each(|finding| report.find(finding));
            from = step.next;
        }
        if let Some(record) = keyring.rotation_ended(keyring.sealing_key())? {
            keyring.adopt(&record)?;
        }
        progress.step(report.rows, report.rows);
        Ok(report)
    }
}

/// The rows of one commit; absent once the snapshot is closed.
struct HeldRows {
    tree: Mutex<Option<Map>>,
    codec: Codec,
}

impl Held for HeldRows {
    fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl Fn(&dyn Reads) -> Result<T> + Send + 'static,
    ) -> StoreFuture<'_, Result<T>> {
        let tree = self.tree.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match &*tree {
            Some(tree) => read(&Reader::new(tree, &self.codec, operation)),
            None => Err(Error::new(ErrorKind::Closed, operation, "the snapshot is closed: take another")),
        };
        Box::pin(std::future::ready(answer))
    }

    fn damaged(&self) -> u64 {
        self.codec.damaged()
    }

    fn end(&self) {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl fmt::Debug for HeldRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldRows(..)")
    }
}

fn not_sealed(operation: &'static str) -> Error {
    Error::new(ErrorKind::NotSealed, operation, "the store is plain: it has no keys")
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("revision", &self.lock().head.revision).finish_non_exhaustive()
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl StorageAdapter for MemoryStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let hub = self.hub("apply")?;
        // Held until the commit is published, so that the feed has the order of the commits.
        let mut rows = self.lock();
        let mut layer = Layer::new(rows.head);
        let commit = kv::apply(&rows.tree, &self.shared.codec, &mut layer, &batch)?;
        if commit.changed {
            rows.write(layer);
            hub.publish(commit.revision, touched(&batch));
        }
        Ok(commit)
    }

    async fn room(&self, id: &RoomId) -> Result<Option<Room>> {
        self.read("room", |rows| rows.room(id))
    }

    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>> {
        self.read("rooms", |rows| rows.rooms(&query))
    }

    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        self.read("message", |rows| rows.message(room, event))
    }

    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        self.read("timeline", |rows| rows.timeline(room, &page))
    }

    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        self.read("timelines", |rows| rows.timelines(&pages))
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        self.read("gaps", |rows| rows.gaps(room))
    }

    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64> {
        self.read("count", |rows| rows.count(room, newer_than))
    }

    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>> {
        self.read("related", |rows| rows.related(&query))
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        self.read("messages", |rows| rows.messages(&query))
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        self.read("pending", |rows| rows.pending(&query))
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        self.read("media", |rows| rows.media(key, range))
    }

    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>> {
        self.read("media_index", |rows| rows.media_index(&query))
    }

    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>> {
        self.read("state", |rows| rows.state(&query))
    }

    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        self.read("states", |rows| rows.states(&queries))
    }

    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64> {
        self.read("count_state", |rows| rows.count_state(scope, kind))
    }

    async fn usage(&self) -> Result<Usage> {
        self.read("usage", |rows| {
            let usage = rows.usage()?;
            let total_bytes = usage.collections.iter().map(|(_, size)| size.bytes).sum();
            Ok(Usage { total_bytes, ..usage })
        })
    }

    async fn snapshot(&self) -> Result<Arc<dyn StorageAdapter>> {
        self.hub("snapshot")?;
        let (tree, head) = {
            let rows = self.lock();
            (rows.tree.clone(), rows.head)
        };
        let codec = self.shared.codec.counting_apart();
        let held = HeldRows { tree: Mutex::new(Some(tree)), codec };
        Ok(Arc::new(Snapshot::new(held, head.revision, self.info())))
    }

    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report> {
        self.hub("maintain")?;
        match task {
            Maintenance::Rotate => self.rotate(&progress),
            Maintenance::Check => {
                let rows = self.lock();
                kv::check(&|look| look(Reader::new(&rows.tree, &self.shared.codec, "maintain")), &progress)
            }
            // A map keeps no free pages.
            Maintenance::Compact => {
                let rows = self.lock().head.sums.rows();
                progress.step(rows, rows);
                Ok(Report { rows, ..Report::default() })
            }
        }
    }

    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        self.hub("keys")?;
        if let Some(keyring) = self.shared.codec.keyring() {
            if change == KeyChange::Shred {
                // Only this keyring could read the rows.
                return self.close().await;
            }
            return keyring.adopt(&keyring.changed(&change)?).map(drop);
        }
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
            evictable: false,
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
            // A hub that is dropped at once: the feed ends before it begins.
            None => ChangeHub::new(1, self.lock().head.revision).subscribe(),
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
