use async_trait::async_trait;
use haos_queue::pressure::Weight;
use haos_store_api::*;

/// A store in memory on a device of `capacity` bytes.
#[derive(Debug)]
pub(crate) struct Tight {
    pub(crate) inner: MemoryStore,
    pub(crate) capacity: u64,
}

#[async_trait]
impl StorageAdapter for Tight {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let used: u64 = self.inner.usage().await?.collections.iter().map(|(_, size)| size.bytes).sum();
        let more = Weight::of(&batch).bytes();
        if more > 0 && used + more > self.capacity {
            return Err(Error::new(ErrorKind::Full, "apply", "the device is full"));
        }
        self.inner.apply(batch).await
    }

    forward_store! { self => self.inner; except apply }
}
