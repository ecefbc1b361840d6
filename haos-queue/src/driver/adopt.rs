use haos_store_api::{ErrorKind, PendingState, Result, TxnId};

use super::Driver;
use super::attempt::{Ended, Outcome};
use crate::machine::adopt;
use crate::outbox::Parent;

impl Driver {
    /// Looks after a row that waits for one which is not unsent any more: somebody wrote it while that
    /// one left.
    pub(super) async fn adopt(&self, txn_id: TxnId) -> Outcome {
        match self.adopted(&txn_id).await {
            Ok(ended) => Outcome::new(txn_id, ended, None),
            Err(e) if e.kind() == ErrorKind::Conflict => Outcome::again(txn_id),
            // The parent cannot be read: it may be unsent, so its children wait.
            Err(e) if e.kind() == ErrorKind::Corrupt => Outcome::new(txn_id, Ended::Rest(None), None),
            Err(e) => Outcome::new(txn_id, Ended::Failed(e), None),
        }
    }

    async fn adopted(&self, txn_id: &TxnId) -> Result<Ended> {
        let shared = &self.outbox.shared;
        let Some(row) = shared.row(txn_id).await? else { return Ok(Ended::Row(Box::new(None))) };
        let Some(parent) = row.parent.clone().filter(|_| row.state == PendingState::Blocked) else {
            return Ok(Ended::Row(Box::new(Some(row))));
        };
        let event_id = match shared.parent(&row.room, &parent).await? {
            Parent::Unsent(_) => return Ok(Ended::Rest(Some(parent))),
            Parent::Sent(event_id) => Some(event_id),
            Parent::Unknown => None,
        };
        let context = shared.context();
        let batch = adopt(&row, &parent, event_id.as_ref(), &context, &*shared.protocol)?;
        let Some(batch) = batch else { return Ok(Ended::Rest(None)) };
        shared.store.apply(batch).await?;
        Ok(Ended::Row(Box::new(shared.row(txn_id).await?)))
    }
}
