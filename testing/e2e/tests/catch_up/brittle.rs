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

#[async_trait]
impl StorageAdapter for Brittle {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        if self.writes.fetch_add(1, SeqCst) + 1 >= self.last {
            self.dead.notify_one();
            return std::future::pending().await;
        }
        self.inner.apply(batch).await
    }

    forward_store! { self => self.inner; except apply }
}
