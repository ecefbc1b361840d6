//! The law of the recovery: which rows of a mirror a store takes back, and which it gives up.

use std::collections::BTreeMap;

use super::fold::{Fold, Said};
use super::frame::StoredPending;
use crate::law::OutboxRows;
use crate::{Key, ParkReason, Pending, PendingState, Result, Revision, TxnId};

/// The store's own knowledge of its outbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    /// The readable rows.
    pub(super) rows: &'a [Pending],
    /// The latest commit, if the counters are readable.
    pub(super) revision: Option<Revision>,
    /// Its soundness.
    pub(super) state: State,
}

/// The soundness of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing says that it is damaged.
    Sound,
    /// It is sound but for rows of the outbox that cannot be read.
    Unreadable,
    /// It is damaged, and what it says may be incomplete.
    Damaged,
}

/// The changes that make a store's outbox complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Rows to write, as they are.
    pub put: Vec<Pending>,
    /// Rows to delete: they were sent or removed after the store's state.
    pub drop: Vec<TxnId>,
    /// The latest sequence number that the mirror knows of.
    pub last_seq: u64,
    /// The latest revision that the mirror knows of.
    pub revision: Revision,
    /// True if lost commits do not tell why the store differs: it may be damaged elsewhere, too.
    pub is_odd: bool,
}

impl Plan {
    /// Tells whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.drop.is_empty()
    }

    /// Writes the changes.
    ///
    /// # Errors
    /// Those of the rows.
    pub fn write(&self, rows: &mut (impl OutboxRows + ?Sized)) -> Result<()> {
        self.drop.iter().try_for_each(|txn_id| rows.delete_pending(txn_id))?;
        self.put.iter().try_for_each(|row| rows.write_pending(row))
    }
}

/// Compares a mirror with its store. `decode` reads a row of the mirror, and `key` names a transaction.
pub(super) fn judge(
    fold: &Fold,
    store: Known<'_>,
    boot: u64,
    decode: impl Fn(&StoredPending) -> Option<Pending>,
    key: impl Fn(&TxnId) -> Key,
) -> Plan {
    let mut plan = Plan { last_seq: fold.head.last_seq, revision: fold.known, ..Plan::default() };
    let own: BTreeMap<Key, &Pending> = store.rows.iter().map(|row| (key(&row.txn_id), row)).collect();
    for (key, row) in &own {
        match fold.said(key, row.seq) {
            Some(Said::Gone(at)) if at >= row.revision => plan.drop.push(row.txn_id.clone()),
            Some(Said::Row(said)) if said.revision >= row.revision => {
                // Of two copies from the same commit, the one with a checksum counts.
                if let Some(said) = decode(&said).filter(|said| said != *row) {
                    plan.is_odd |= said.revision == row.revision;
                    plan.drop.extend((said.seq != row.seq).then(|| row.txn_id.clone()));
                    plan.put.push(said);
                }
            }
            _ => {}
        }
    }
    for (said, is_open) in fold.rows() {
        plan.last_seq = plan.last_seq.max(said.seq);
        if own.contains_key(&said.key) {
            continue;
        }
        let fate = fate(fold, &store, boot, said, is_open);
        plan.is_odd |= is_odd(fold, &store, boot, said, is_open);
        let row = if fate == Fate::Absent { None } else { decode(said) };
        plan.put.extend(row.map(|row| if fate == Fate::Doubtful { parked(row) } else { row }));
    }
    plan.put.sort_by_key(|row| row.seq);
    plan
}

/// The fate of a row that the mirror alone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It was sent or removed.
    Absent,
    /// It stands as it is.
    Stands,
    /// It may have been sent, removed or changed since.
    Doubtful,
}

fn fate(fold: &Fold, store: &Known<'_>, boot: u64, row: &StoredPending, is_open: bool) -> Fate {
    let is_lost = store.revision.is_some_and(|revision| row.revision > revision);
    let is_last = store.revision == Some(fold.known) && !fold.has_holes;
    match store.state {
        // Without a word on the row the store is right, unless it has lost commits, or the mirror knows of all.
        State::Sound if is_open && !is_lost => Fate::Absent,
        State::Sound if is_lost && is_open => Fate::Doubtful,
        State::Sound if is_lost || is_last => Fate::Stands,
        State::Sound => Fate::Absent,
        State::Unreadable | State::Damaged if is_open || is_behind(fold, store, boot) => Fate::Doubtful,
        State::Unreadable | State::Damaged => Fate::Stands,
    }
}

/// Tells whether a store must have lost a row by damage: nobody was about to remove it, and the mirror lacks nothing.
fn is_odd(fold: &Fold, store: &Known<'_>, boot: u64, row: &StoredPending, is_open: bool) -> bool {
    let is_lost = store.revision.is_some_and(|revision| row.revision > revision);
    let is_up_to_date = is_same_run(fold, boot) || store.revision == Some(fold.known);
    store.state == State::Unreadable || is_up_to_date && !fold.has_holes && !is_open && !is_lost
}

fn is_same_run(fold: &Fold, boot: u64) -> bool {
    boot != 0 && fold.last.boot == boot
}

/// Tells whether frames may be missing at the mirror's end, as after a power cut: the mirror is not synced.
fn is_behind(fold: &Fold, store: &Known<'_>, boot: u64) -> bool {
    let same_run = is_same_run(fold, boot);
    let later = match store.revision {
        Some(revision) => revision > fold.known,
        None => !fold.last.closed || store.rows.iter().any(|row| row.revision > fold.known),
    };
    fold.has_holes || !same_run && later
}

/// Makes a row wait for the person: nothing else sends or removes it. If an attempt was made, it may have arrived.
fn parked(row: Pending) -> Pending {
    if matches!(row.state, PendingState::Parked(_) | PendingState::Sent) {
        return row;
    }
    let error = "the store was damaged: this may have been sent, changed or removed since; send it again or remove it";
    Pending {
        state: PendingState::Parked(ParkReason::Paused),
        ambiguous: true,
        lease: None,
        error: Some(error.to_owned()),
        ..row
    }
}
