use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use haos_queue::pressure::Weight;
use haos_store_api::*;

use super::Log;

/// A store in memory, on a device that is full at `capacity` bytes and has little room for the log of a removal.
#[derive(Debug)]
pub struct Tight {
    store: MemoryStore,
    capacity: u64,
    log: u64,
    applied: Mutex<Log>,
}

impl Tight {
    /// An empty store that takes `capacity` bytes and removes no more than `log` of them at once.
    pub fn new(capacity: u64, log: u64) -> Self {
        Self { store: MemoryStore::new(), capacity, log, applied: Mutex::default() }
    }

    /// Tells if the device has no room for a batch.
    async fn is_full_for(&self, batch: &WriteBatch) -> Result<bool> {
        let used = self.store.usage().await?.total_bytes;
        if batch.ops().iter().any(|op| matches!(op, Op::EvictMedia(..) | Op::Prune(_))) {
            // The removal, tried on a copy.
            let copy = self.applied().copy()?;
            copy.apply(batch.clone()).await?;
            return Ok(used.saturating_sub(copy.usage().await?.total_bytes) > self.log);
        }
        let more = Weight::of(batch).bytes();
        Ok(more > 0 && used + more > self.capacity)
    }

    fn applied(&self) -> std::sync::MutexGuard<'_, Log> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StorageAdapter for Tight {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        if self.is_full_for(&batch).await? {
            return Err(Error::new(ErrorKind::Full, "apply", "the device is full"));
        }
        let commit = self.store.apply(batch.clone()).await?;
        self.applied().push(batch);
        Ok(commit)
    }

    forward_store! { self => self.store; except apply }
}
