//! Unsent messages.

use haos_queue::{CLOCK, Clocks, Retries, STAGED, hold_back, take_over};
use haos_store_api::{
    Collection, EventType, Json, MessageQuery, Pending, PendingQuery, Result, Scope, StateKey,
    StorageAdapter, StorageAdapterExt as _, TxnId, WriteBatch,
};

use super::ledger::Said;
use super::{Ledger, Outbox, Reason, Restore};

/// The most rows of one commit: each may hold a long message.
const MOST_ROWS: usize = 64;

impl<S: StorageAdapter + ?Sized> Restore<'_, S> {
    pub(super) async fn pending(&mut self, rows: Vec<Pending>) -> Result<()> {
        for rows in rows.chunks(MOST_ROWS) {
            self.some_pending(rows).await?;
        }
        Ok(())
    }

    async fn some_pending(&mut self, rows: &[Pending]) -> Result<()> {
        let mut retries = Retries::default();
        let here = clock(self.store).await?;
        loop {
            // Read again after a conflict, since what was planned is in it.
            let mut ledger = match self.ledger.take() {
                Some(ledger) => ledger,
                None => Ledger::read(self.store).await?,
            };
            let mut batch = WriteBatch::strict();
            let (mut new, mut held, mut out) = (0, 0, Vec::new());
            for row in rows {
                match known(self.store, row).await? {
                    Known::Waits => held += 1,
                    Known::Delivered => out.push(Reason::Delivered),
                    Known::No if ledger.get(&row.txn_id).is_some() => out.push(Reason::TakenBefore),
                    Known::No => {
                        let clocks = Clocks { there: self.clock.as_ref(), here: here.as_ref() };
                        let taken = take_over(row, clocks);
                        let taken = match self.options.outbox {
                            Outbox::HoldBack => hold_back(&taken),
                            Outbox::TakeOver => taken,
                        };
                        new += 1;
                        batch.expect_pending(&row.txn_id, None).put_pending(taken);
                        ledger.put(&mut batch, &row.txn_id, Said::default())?;
                        for key in row.media.iter().filter(|key| key.uri.as_str().starts_with(STAGED)) {
                            // From now on the row protects it.
                            batch.pin_media(key.clone(), false);
                        }
                    }
                }
            }
            let Some(commit) = retries.committed(self.store.apply(batch).await)? else { continue };
            self.ledger = Some(ledger);
            self.changed |= commit.changed;
            self.done.new_rows(Collection::Pending, new);
            self.done.unchanged_rows(Collection::Pending, held);
            out.into_iter().for_each(|reason| self.done.leave_out(Collection::Pending, reason, 1));
            return Ok(());
        }
    }

    /// Takes the other store's notes, too: what it took over and then sent or cancelled does not come back from an
    /// older archive. Only now, since rows that it still has were to be taken first.
    pub(super) async fn put_notes(&mut self) -> Result<()> {
        let notes = std::mem::take(&mut self.notes);
        for notes in notes.chunks(super::ROWS) {
            let mut retries = Retries::default();
            loop {
                let mut ledger = Ledger::read(self.store).await?;
                let mut batch = WriteBatch::relaxed();
                // What the other store handed on may be on its way to this one.
                for note in notes.iter().filter(|note| !note.said.gone && note.said.coming.is_none()) {
                    if ledger.get(&note.txn_id).is_none() && !waits(self.store, &note.txn_id).await? {
                        ledger.put(&mut batch, &note.txn_id, Said::default())?;
                        batch.expect_pending(&note.txn_id, None);
                    }
                }
                let Some(commit) = retries.committed(self.store.apply(batch).await)? else { continue };
                self.changed |= commit.changed;
                break;
            }
        }
        Ok(())
    }
}

/// Reads what is known of a store's clock.
pub(crate) async fn clock<S: StorageAdapter + ?Sized>(store: &S) -> Result<Option<Json>> {
    store.state_value(Scope::Account, &EventType::new(CLOCK)?, &StateKey::new("")?).await
}

/// What a store knows of another one's outbox row.
pub(crate) enum Known {
    No,
    /// It has the row, too.
    Waits,
    /// The message has arrived.
    Delivered,
}

pub(crate) async fn known<S: StorageAdapter + ?Sized>(store: &S, row: &Pending) -> Result<Known> {
    if waits(store, &row.txn_id).await? {
        return Ok(Known::Waits);
    }
    let sent = store.messages(MessageQuery::Txn(row.txn_id.clone())).await?;
    let mut arrived = !sent.is_empty();
    if let Some(event_id) = row.event_id.as_ref().filter(|_| !arrived) {
        arrived = store.message(&row.room, event_id).await?.is_some();
    }
    Ok(if arrived { Known::Delivered } else { Known::No })
}

pub(crate) async fn waits<S: StorageAdapter + ?Sized>(store: &S, txn_id: &TxnId) -> Result<bool> {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), limit: 1, ..PendingQuery::default() };
    Ok(!store.pending(query).await?.is_empty())
}
