//! What batches under way would change: a layer over the tree, and the journal that takes a failed
//! batch back.

use std::collections::BTreeMap;

use sled::{Batch, IVec};

use crate::head::Head;
use crate::keys;

/// New values by key; none: it is gone.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<IVec>>;

/// The changes of a group of batches.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The counters as the changes leave them.
    pub(crate) head: Head,
    pub(crate) changes: Changes,
    /// What the present batch replaced in the layer; none: nothing was there.
    journal: Vec<(Vec<u8>, Option<Option<IVec>>)>,
    before: Head,
}

impl Draft {
    pub(crate) fn new(head: Head) -> Self {
        Self { head, changes: Changes::new(), journal: Vec::new(), before: head }
    }

    pub(crate) fn set(&mut self, key: Vec<u8>, value: Option<IVec>) {
        let old = self.changes.insert(key.clone(), value);
        self.journal.push((key, old));
    }

    /// Ends a batch whose changes stand.
    pub(crate) fn keep(&mut self) {
        self.journal.clear();
        self.before = self.head;
    }

    /// Ends a batch as if it had never been.
    pub(crate) fn take_back(&mut self) {
        for (key, old) in self.journal.drain(..).rev() {
            match old {
                Some(old) => self.changes.insert(key, old),
                None => self.changes.remove(&key),
            };
        }
        self.head = self.before;
    }

    /// Everything, counters included, as one atomic write.
    pub(crate) fn into_batch(self) -> Batch {
        let mut batch = Batch::default();
        for (key, value) in self.changes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        batch.insert(keys::head(), self.head.encode());
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_batch_takes_back_only_itself() {
        let mut draft = Draft::new(Head::default());
        let set = |draft: &mut Draft, key: u8, value: Option<u8>| {
            draft.set(vec![key], value.map(|value| IVec::from(vec![value])));
        };
        set(&mut draft, 1, Some(1));
        set(&mut draft, 2, None);
        draft.head.last_seq = 1;
        draft.keep();
        let kept = draft.changes.clone();

        set(&mut draft, 1, Some(2));
        set(&mut draft, 1, None);
        set(&mut draft, 2, Some(2));
        set(&mut draft, 3, Some(3));
        draft.head.last_seq = 5;
        draft.take_back();
        assert_eq!((draft.changes, draft.head.last_seq), (kept, 1));
    }
}
