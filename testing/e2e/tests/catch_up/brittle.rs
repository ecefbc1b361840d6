use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use async_trait::async_trait;
use haos_store_api::*;
use tokio::sync::Notify;

/// A store of a process that dies when it is about to write for the `last`th time.
pub(crate) struct Brittle {
    inner: Arc<dyn StorageAdapter>,
    writes: AtomicU64,
    last: u64,
    dead: Notify,
}

impl Brittle {
    pub(crate) fn new(inner: Arc<dyn StorageAdapter>, last: u64) -> Self {
        Self { inner, writes: AtomicU64::new(0), last, dead: Notify::new() }
    }

    /// Ends when the process should.
    pub(crate) async fn death(&self) {
        self.dead.notified().await;
    }

    /// How often it was written to, the write that it died at included.
    pub(crate) fn writes(&self) -> u64 {
        self.writes.load(SeqCst)
    }
}

impl fmt::Debug for Brittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brittle")
    }
}

macro_rules! passed_on {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl StorageAdapter for Brittle {
            async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
                if self.writes.fetch_add(1, SeqCst) + 1 >= self.last {
                    self.dead.notify_one();
                    return std::future::pending().await;
                }
                self.inner.apply(batch).await
            }

            $(async fn $name(&self, $($arg: $ty),*) -> $out {
                self.inner.$name($($arg),*).await
            })*

            fn info(&self) -> StoreInfo {
                self.inner.info()
            }

            fn changes(&self) -> Changes {
                self.inner.changes()
            }
        }
    };
}

passed_on! {
    room(id: &RoomId) -> Result<Option<Room>>;
    rooms(query: RoomQuery) -> Result<Vec<Room>>;
    message(room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    timeline(room: &RoomId, page: Page) -> Result<Slice>;
    gaps(room: &RoomId) -> Result<Vec<Gap>>;
    count(room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;
    related(query: RelationQuery) -> Result<Vec<Message>>;
    messages(query: MessageQuery) -> Result<Vec<Message>>;
    pending(query: PendingQuery) -> Result<Vec<Pending>>;
    media(key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;
    media_index(query: MediaQuery) -> Result<Vec<MediaInfo>>;
    state(query: StateQuery) -> Result<Vec<StateEntry>>;
    usage() -> Result<Usage>;
    maintain(task: Maintenance, progress: Progress) -> Result<Report>;
    suspend() -> Result<()>;
    resume() -> Result<()>;
    close() -> Result<()>;
}
