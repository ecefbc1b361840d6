//! The limits of what a store keeps without being asked: it has an end, and what does not fit is counted.

mod invites;
mod left_out;
mod limits;
mod to_device;
mod unreadable;

use haos_queue::{BackfillPage, SyncDelta};
use haos_store_api::{Result, StorageAdapter, WriteBatch};

pub use left_out::LeftOut;
pub use limits::{KeepLimits, ToDeviceLimits};

impl KeepLimits {
    /// Takes out of an answer what the store does not keep, and makes room for the rest. Call it right before
    /// the answer is applied ([`haos_queue::apply_sync`]), one answer at a time.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn admit(&self, store: &dyn StorageAdapter, delta: &mut SyncDelta) -> Result<()> {
        to_device::admit(self.to_device, store, &mut delta.account).await?;
        invites::admit(self, store, delta).await?;
        let mut batch = WriteBatch::relaxed();
        let ledger = {
            let rooms = delta.rooms.iter_mut().map(|room| &mut room.state);
            let lists = rooms.chain([&mut delta.account]);
            unreadable::admit(self, store, lists.collect(), &mut batch).await?
        };
        delta.account.extend(ledger);
        apply(store, batch).await
    }

    /// The same for a page of history ([`haos_queue::apply_page`]).
    ///
    /// # Errors
    /// Those of the store.
    pub async fn admit_page(&self, store: &dyn StorageAdapter, page: &mut BackfillPage) -> Result<()> {
        let mut batch = WriteBatch::relaxed();
        if let Some(ledger) = unreadable::admit(self, store, vec![&mut page.state], &mut batch).await? {
            batch.put_state(ledger);
        }
        apply(store, batch).await
    }
}

async fn apply(store: &dyn StorageAdapter, batch: WriteBatch) -> Result<()> {
    if batch.ops().is_empty() {
        return Ok(());
    }
    store.apply(batch).await.map(drop)
}
