//! What is carried over from a damaged store, whatever its backend.

mod rooms;
#[cfg(test)]
mod tests;
mod timeline;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

pub use rooms::LostRooms;
pub use timeline::{Weaver, gaps_where_some_were_lost};

use super::mirror::Plan;
use crate::law::Rows;
use crate::{
    CarriedOver, Collection, Error, Pending, Recovery, Result, Revision, Scope, StateKey, TxnId, state_kind,
};

/// The account of a salvage: the outbox, which is short, and how much of each collection was carried over. A backend
/// writes the other rows as it reads them.
#[derive(Debug, Default)]
pub struct Salvage {
    pending: BTreeMap<u64, Pending>,
    seqs: HashMap<TxnId, u64>,
    counts: HashMap<Collection, Count>,
    lacks_news: bool,
    /// The latest sequence number given.
    pub last_seq: u64,
    /// The latest revision published.
    pub revision: Revision,
}

/// The rows of a collection.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    carried: u64,
    /// Rows that were found and could not be read.
    lost: u64,
    /// The number that indexes and counters name.
    named: u64,
}

impl Salvage {
    /// Takes over a row of the outbox, wherever it was found: the later version of two, and a place of its own for each
    /// transaction.
    pub fn add_pending(&mut self, row: Pending) {
        self.see(row.revision);
        self.last_seq = self.last_seq.max(row.seq);
        if let Some(seq) = self.seqs.get(&row.txn_id) {
            if let Some(known) = self.pending.get_mut(seq).filter(|known| known.revision < row.revision) {
                *known = Pending { seq: *seq, ..row };
            }
            return;
        }
        let mut seq = row.seq;
        if self.pending.contains_key(&seq) {
            self.last_seq = self.last_seq.saturating_add(1);
            seq = self.last_seq;
        }
        self.seqs.insert(row.txn_id.clone(), seq);
        self.pending.insert(seq, Pending { seq, ..row });
    }

    /// Completes the outbox from the store's mirror.
    pub(super) fn merge(&mut self, plan: Plan) {
        for txn_id in plan.drop.iter().chain(plan.put.iter().map(|row| &row.txn_id)) {
            if let Some(seq) = self.seqs.remove(txn_id) {
                self.pending.remove(&seq);
            }
        }
        plan.put.into_iter().for_each(|row| self.add_pending(row));
        self.count(plan.last_seq, plan.revision);
    }

    /// Counts a row that was carried over.
    pub fn carried(&mut self, of: Collection) {
        self.counts.entry(of).or_default().carried += 1;
    }

    /// Counts a row that was found and could not be read.
    pub fn lost(&mut self, of: Collection) {
        self.counts.entry(of).or_default().lost += 1;
    }

    /// Counts a row that was carried over, and is not complete after all.
    pub fn retract(&mut self, of: Collection, rows: u64) {
        let count = self.counts.entry(of).or_default();
        count.carried = count.carried.saturating_sub(rows);
        count.lost += rows;
    }

    /// Takes over the number of rows that an index or a counter names.
    pub fn named(&mut self, of: Collection, rows: u64) {
        let count = self.counts.entry(of).or_default();
        count.named = count.named.max(rows);
    }

    /// Takes over the values of counters.
    pub fn count(&mut self, last_seq: u64, revision: Revision) {
        self.last_seq = self.last_seq.max(last_seq);
        self.see(revision);
    }

    /// Takes over the revision of a row.
    pub fn see(&mut self, revision: Revision) {
        self.revision = self.revision.max(revision);
    }

    /// Notes that the newest messages of some room may be lost.
    pub fn lacks_news(&mut self) {
        self.lacks_news = true;
    }

    /// Returns the rows of the outbox.
    pub fn pending(&self) -> impl Iterator<Item = &Pending> {
        self.pending.values()
    }

    /// Returns what became of each collection, in the order of [`Collection::ALL`].
    pub fn collections(&self) -> Vec<(Collection, CarriedOver)> {
        Collection::ALL.into_iter().map(|of| (of, self.of(of))).collect()
    }

    fn of(&self, of: Collection) -> CarriedOver {
        let Count { carried, lost, named } = self.counts.get(&of).copied().unwrap_or_default();
        if of == Collection::Pending {
            // A row that is not readable in one place may be so in another.
            let rows = self.pending.len() as u64;
            return CarriedOver { rows, unreadable: named.max(lost).saturating_sub(rows) };
        }
        CarriedOver { rows: carried, unreadable: lost.max(named.saturating_sub(carried)) }
    }

    /// Tells whether the next sync, if it went on from the stored token, would leave something out for good.
    ///
    /// A hole between two messages is a gap and is filled as such. What a sync tells once alone is not: the newest
    /// messages, a room's row, its state. Without a token the next sync tells them again.
    pub fn forgets_token(&self) -> bool {
        let loses = |of| self.of(of).unreadable > 0;
        self.lacks_news || loses(Collection::Rooms) || loses(Collection::State)
    }

    /// Writes what is kept until the end, after all other rows: the outbox. Removes the token if it cannot stay.
    ///
    /// # Errors
    /// Those of the rows.
    pub fn finish(&self, rows: &mut impl Rows) -> Result<()> {
        for row in self.pending.values() {
            rows.write_pending(row)?;
        }
        if self.forgets_token() {
            let (kind, key) = (crate::EventType::new(state_kind::SYNC_TOKEN)?, StateKey::new("")?);
            if rows.delete_state(&Scope::Account, &kind, &key)? {
                tracing::warn!("the sync token is not carried over: the next sync fetches what was lost");
            }
        }
        Ok(())
    }

    /// Reports the outcome for the store, which was set `aside`.
    pub fn recovery(&self, aside: &Path, cause: &Error) -> Recovery {
        let CarriedOver { rows, unreadable } = self.of(Collection::Pending);
        let collections = self.collections();
        tracing::warn!(set_aside = %aside.display(), ?collections, %cause, "a damaged store was set aside");
        let set_aside = Some(aside.display().to_string());
        Recovery {
            set_aside,
            salvaged: rows,
            unreadable,
            collections,
            is_whole: false,
            cause: cause.to_string(),
        }
    }
}
