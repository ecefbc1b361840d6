//! What came of a restore.

use std::collections::BTreeMap;
use std::fmt;

use haos_store_api::Collection;

/// The outcome of a restore. Gaps are not counted: they follow from the messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    counts: BTreeMap<Collection, Counts>,
    left_out: BTreeMap<(Collection, Reason), u64>,
}

/// Rows of a collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that the store lacked.
    pub new: u64,
    /// Those that the store had, and that changed: they learned something, or were kept beside the store's own.
    pub merged: u64,
    /// Those that the store had as they are, or knew better.
    pub unchanged: u64,
    /// Those that were left out.
    pub left_out: u64,
}

/// The reason why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its room is not stored.
    NoRoom,
    /// It belongs to the store that it comes from alone, or to the moment at which it was read.
    OfItsStore,
    /// It is of the login, which the options do not ask for, or the store has its own.
    Session,
    /// The message has arrived.
    Delivered,
    /// The row was taken over before: since then it was sent or cancelled.
    TakenBefore,
    /// Its bytes are not all there.
    Incomplete,
    /// It breaks the store's contract.
    Invalid,
    /// The store that it comes from cannot read it. A row may be counted twice.
    Unreadable,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoom => "its room is not stored",
            Self::OfItsStore => "it belongs to the store that it comes from",
            Self::Session => "it is of the login",
            Self::Delivered => "the message has arrived",
            Self::TakenBefore => "it was taken over before, and sent or cancelled since",
            Self::Incomplete => "its bytes are not all there",
            Self::Invalid => "it breaks the store's contract",
            Self::Unreadable => "it cannot be read",
        })
    }
}

impl Restored {
    /// Returns the counts of a collection.
    pub fn of(&self, collection: Collection) -> Counts {
        self.counts.get(&collection).copied().unwrap_or_default()
    }

    /// Lists what was left out, why, and how many rows of it.
    pub fn left_out(&self) -> impl Iterator<Item = (Collection, Reason, u64)> {
        self.left_out.iter().map(|((collection, reason), rows)| (*collection, *reason, *rows))
    }

    /// Tells whether the store is as it was before.
    pub fn is_unchanged(&self) -> bool {
        self.counts.values().all(|counts| counts.new == 0 && counts.merged == 0)
    }

    pub(crate) fn new_rows(&mut self, collection: Collection, rows: u64) {
        self.counts.entry(collection).or_default().new += rows;
    }

    pub(crate) fn merged_rows(&mut self, collection: Collection, rows: u64) {
        self.counts.entry(collection).or_default().merged += rows;
    }

    pub(crate) fn unchanged_rows(&mut self, collection: Collection, rows: u64) {
        self.counts.entry(collection).or_default().unchanged += rows;
    }

    pub(crate) fn leave_out(&mut self, collection: Collection, reason: Reason, rows: u64) {
        if rows > 0 {
            self.counts.entry(collection).or_default().left_out += rows;
            *self.left_out.entry((collection, reason)).or_default() += rows;
        }
    }
}
