//! The law of the log: what the frames of a mirror say of the outbox.

use std::collections::{BTreeMap, BTreeSet};

use super::frame::{Frame, Head, Mark, StoredPending};
use crate::{Codec, Key, Revision};

/// The outbox as a mirror tells it. Frames of different handles may stand in any order: the later revision of a row
/// counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fold {
    pub(super) head: Head,
    /// The latest revision that any frame knows of.
    pub(super) known: Revision,
    /// The system's run of the latest mark, and whether the store was closed after that.
    pub(super) last: Mark,
    pub(super) has_holes: bool,
    /// True if all rows that the head announces are readable.
    is_whole: bool,
    /// True if frames stand in the file that say nothing any more.
    has_garbage: bool,
    entries: BTreeMap<Key, Entry>,
}

/// The state of one transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Entry {
    said: Option<Said>,
    /// The handles that were about to change it and have not told the outcome.
    open: BTreeSet<u64>,
}

/// The word of the mirror on one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Row(StoredPending),
    Gone(Revision),
}

impl Said {
    pub(super) fn revision(&self) -> Revision {
        match self {
            Self::Row(row) => row.revision,
            Self::Gone(revision) => *revision,
        }
    }
}

impl Fold {
    pub(super) fn of(head: Head, frames: Vec<Frame>, has_holes: bool) -> Self {
        let is_listed =
            |frame: &Frame| matches!(frame, Frame::Row { row, .. } if row.revision <= head.mark.revision);
        let listed = frames.iter().take(head.rows as usize).filter(|frame| is_listed(frame)).count();
        let is_whole = !has_holes && listed == head.rows as usize;
        let (known, last) = (head.mark.revision, head.mark);
        let mut fold =
            Self { head, known, last, has_holes, is_whole, has_garbage: false, entries: BTreeMap::new() };
        // The rows that came with the head do not say that the store was opened again.
        let rows = fold.head.rows as usize;
        let mut frames = frames.into_iter();
        frames.by_ref().take(rows).for_each(|frame| fold.enter(frame));
        if listed == rows {
            fold.last.closed = fold.head.mark.closed;
        }
        frames.for_each(|frame| fold.take(frame));
        fold
    }

    /// Takes the next frame.
    pub(super) fn take(&mut self, frame: Frame) {
        match frame {
            // It was on its way when the mirror was written again, and removed by then: the head would list it.
            Frame::Row { by, row }
                if self.is_whole
                    && row.revision <= self.head.mark.revision
                    && self.row(&row.key).is_none() =>
            {
                self.enter(Frame::Gone { by, key: row.key, revision: self.head.mark.revision });
            }
            frame => self.enter(frame),
        }
    }

    fn enter(&mut self, frame: Frame) {
        self.last.closed = false;
        let (by, key, said) = match frame {
            Frame::Known(mark) => {
                self.last = mark;
                self.known = self.known.max(mark.revision);
                return;
            }
            Frame::Intent { by, key } => {
                self.has_garbage = true;
                self.entries.entry(key).or_default().open.insert(by);
                return;
            }
            Frame::Row { by, row } => (by, row.key, Said::Row(row)),
            Frame::Gone { by, key, revision } => (by, key, Said::Gone(revision)),
        };
        self.known = self.known.max(said.revision());
        let entry = self.entries.entry(key).or_default();
        entry.open.remove(&by);
        self.has_garbage |= entry.said.is_some();
        if entry.said.as_ref().is_none_or(|old| old.revision() <= said.revision()) {
            entry.said = Some(said);
        }
    }

    /// Returns the word on a transaction; of one that no frame names, only that the head did not list it.
    pub(super) fn said(&self, key: &Key, seq: u64) -> Option<Said> {
        let said = self.entries.get(key).and_then(|entry| entry.said.clone());
        let is_unlisted = || self.is_whole && seq <= self.head.last_seq;
        said.or_else(|| is_unlisted().then_some(Said::Gone(self.head.mark.revision)))
    }

    /// Lists the rows that stand, and whether a handle was about to change each.
    pub(super) fn rows(&self) -> impl Iterator<Item = (&StoredPending, bool)> {
        self.entries.values().filter_map(|entry| match &entry.said {
            Some(Said::Row(row)) => Some((row, !entry.open.is_empty())),
            _ => None,
        })
    }

    /// Returns the row of a transaction, if it stands.
    pub(super) fn row(&self, key: &Key) -> Option<&StoredPending> {
        match &self.entries.get(key)?.said {
            Some(Said::Row(row)) => Some(row),
            _ => None,
        }
    }

    /// Tells whether a compaction gives anything.
    pub(super) fn has_garbage(&self) -> bool {
        self.has_garbage || self.has_holes
    }

    /// Tells whether a handle has left open what became of a row.
    pub(super) fn has_open(&self) -> bool {
        self.rows().any(|(_, is_open)| is_open)
    }

    /// Tells whether no row can come from it.
    pub(super) fn is_void(&self) -> bool {
        self.is_whole
            && self
                .entries
                .values()
                .all(|entry| entry.open.is_empty() && !matches!(entry.said, Some(Said::Row(_))))
    }

    /// Counts the bytes of what stands, about.
    pub(super) fn live_bytes(&self) -> u64 {
        const AROUND: usize = 64;
        self.rows().map(|(row, _)| (AROUND + row.payload.len()) as u64).sum()
    }

    /// Tells whether any frame names a transaction.
    pub(super) fn names(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    /// Lists the intents of other handles on some rows.
    pub(super) fn open_of_others(&self, own: u64, rows: &[StoredPending]) -> Vec<Frame> {
        let entries = rows.iter().filter_map(|row| Some((row.key, self.entries.get(&row.key)?)));
        let pairs = entries.flat_map(|(key, entry)| entry.open.iter().map(move |by| (key, *by)));
        pairs.filter(|(_, by)| *by != own).map(|(key, by)| Frame::Intent { by, key }).collect()
    }

    /// Tells whether the mirror says just what the store has: these rows, as they are read.
    pub(super) fn is_even(&self, codec: &Codec, rows: &[StoredPending]) -> bool {
        let read = |row: &StoredPending| row.read(codec).ok();
        let mut expected: Vec<_> = rows.iter().collect();
        expected.sort_by_key(|row| row.key);
        !self.has_holes && self.rows().map(|(row, _)| read(row)).eq(expected.into_iter().map(read))
    }
}
