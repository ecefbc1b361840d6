use haos_store_api::{Pending, PendingState, Result, WriteBatch};

use super::Outbox;
use crate::PauseReason;
use crate::account::Gate;

impl Outbox {
    /// Adds to the batch that writes a login down, be it on the same device: a server may forget a device's
    /// transaction ids when it is logged out, so what may have been sent before is proven absent before it
    /// is sent again. What was paused for want of a login goes on with the same commit; what the user paused
    /// stays so.
    ///
    /// The batch conflicts if a row changes meanwhile: make it again then. Once it is applied,
    /// [`Outbox::try_now`] has everything tried at once.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn logged_in(&self, batch: &mut WriteBatch) -> Result<()> {
        for row in self.rows(None).await? {
            let doubtful = row.ambiguous || row.state == PendingState::Sending;
            if doubtful && row.device.is_some() {
                batch.expect_pending(&row.txn_id, Some(row.revision));
                batch.put_pending(Pending { device: None, ..row });
            }
        }
        Gate::change(&*self.shared.store, None, batch, |held| match held.paused {
            Some(PauseReason::User) => held,
            _ => held.opened(),
        })
        .await
    }
}
