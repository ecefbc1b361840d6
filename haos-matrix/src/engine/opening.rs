//! Encrypted events on their way into the store.

use haos_queue::{BackfillPage, SyncDelta};
use haos_store_api::Result;

use super::Engine;
use crate::e2ee::Waits;

impl Engine {
    /// Reads a sync's encrypted events. `answer`: what has more for this device, and whether it was asked without a
    /// token; none for a list of rooms.
    pub(super) async fn open_sync(
        &self,
        delta: &mut SyncDelta,
        answer: Option<(&[u8], bool)>,
    ) -> Result<Waits> {
        let Some(encryption) = &self.inner.encryption else { return Ok(Waits::default()) };
        if let Some((body, is_fresh)) = answer {
            encryption.admit(delta, body, is_fresh).await?;
        }
        encryption.open_sync(delta).await
    }

    /// Reads a page's encrypted events.
    pub(super) async fn open_page(&self, page: &mut BackfillPage) -> Result<Waits> {
        match &self.inner.encryption {
            Some(encryption) => encryption.open_page(page).await,
            None => Ok(Waits::default()),
        }
    }

    /// An answer is stored: what it brought for this device is read, and rows with it. Should that fail, it is tried
    /// again beside the sync.
    pub(super) async fn opened(&self, waits: Waits) {
        let Some(encryption) = &self.inner.encryption else { return };
        encryption.arrived(waits).await;
    }

    /// A page, or a list of rooms, is stored: a key may have come since it was read.
    pub(super) async fn looked_again(&self, waits: Waits) {
        if let Some(encryption) = &self.inner.encryption {
            encryption.look_again(waits).await;
        }
    }
}
