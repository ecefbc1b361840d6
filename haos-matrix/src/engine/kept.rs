use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::SharedHost;
use haos_queue::pressure::Keeper;
use haos_store_api::*;

/// A store whose writes go through its keeper: what is too much evicts what can be fetched again, and leaves
/// the outbox its headroom.
pub(super) struct KeptStore {
    pub(super) keeper: Arc<Keeper>,
    pub(super) host: SharedHost,
}

impl fmt::Debug for KeptStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (store, keeper) = (self.keeper.store(), &self.keeper);
        f.debug_struct("KeptStore").field("store", store).field("keeper", keeper).finish()
    }
}

#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
impl StorageAdapter for KeptStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        self.keeper.apply(batch, self.host.now_ms()).await
    }

    forward_store! { self => *self.keeper.store(); except apply }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use haos_queue::TokioHost;
    use haos_queue::pressure::PressureOptions;

    use super::*;

    fn now<T>(answer: impl Future<Output = T>) -> T {
        answer.now_or_never().expect("a store in memory answers at once")
    }

    /// Only writes are the keeper's; what a backend would answer by default comes from beneath, too.
    #[test]
    fn all_but_writes_is_the_stores_own() {
        let pressure = PressureOptions { quota_bytes: Some(1), ..PressureOptions::default() };
        let rows = MemoryStore::new();
        let keeper = Arc::new(Keeper::new(Arc::new(rows.clone()), pressure));
        let kept = KeptStore { keeper, host: Arc::new(TokioHost) };
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room::new(RoomId::new("!a").unwrap(), Membership::Join));
        assert_eq!(now(kept.apply(batch.clone())).unwrap_err().kind(), ErrorKind::Full);
        now(rows.apply(batch)).unwrap();
        assert_eq!(now(kept.rooms(RoomQuery::default())).unwrap().len(), 1);
        assert_eq!(now(kept.change_keys(KeyChange::Shred)).unwrap_err().kind(), ErrorKind::NotSealed);
        assert_eq!(kept.info(), rows.info());
        now(kept.suspend()).unwrap();
        assert_eq!(now(rows.usage()).unwrap_err().kind(), ErrorKind::Closed);
        now(kept.resume()).unwrap();
        now(kept.close()).unwrap();
        assert_eq!(now(rows.usage()).unwrap_err().kind(), ErrorKind::Closed);
    }
}
