use std::collections::BTreeMap;

use super::head::Head;
use super::keys;

/// New values by key; `None` for a removed key.
pub type Changes<B> = BTreeMap<Vec<u8>, Option<B>>;

/// The changes of a group of batches: a layer over the tree, and the journal that takes a failed batch back.
#[derive(Debug)]
pub struct Layer<B> {
    /// The counters after the changes.
    pub head: Head,
    pub(super) changes: Changes<B>,
    /// The entries of the layer that the present batch replaced; `None` where the layer had no entry.
    journal: Vec<(Vec<u8>, Option<Option<B>>)>,
    before: Head,
}

impl<B: From<Vec<u8>>> Layer<B> {
    /// Begins over a tree whose counters are `head`.
    pub fn new(head: Head) -> Self {
        Self { head, changes: Changes::new(), journal: Vec::new(), before: head }
    }

    pub(super) fn set(&mut self, key: Vec<u8>, value: Option<B>) {
        let old = self.changes.insert(key.clone(), value);
        self.journal.push((key, old));
    }

    /// Lists the keys that one atomic write changes, that of the counters included.
    pub fn keys(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        self.changes.keys().cloned().chain([keys::head()])
    }

    /// Ends a batch whose changes stand.
    pub(super) fn keep(&mut self) {
        self.journal.clear();
        self.before = self.head;
    }

    /// Undoes a batch.
    pub(super) fn take_back(&mut self) {
        for (key, old) in self.journal.drain(..).rev() {
            match old {
                Some(old) => self.changes.insert(key, old),
                None => self.changes.remove(&key),
            };
        }
        self.head = self.before;
    }

    /// Gives the changes of one atomic write, counters included: a value to set, or `None` for a key to remove.
    pub fn into_changes(self) -> impl Iterator<Item = (Vec<u8>, Option<B>)> {
        let head = (keys::head(), Some(self.head.encode().into()));
        self.changes.into_iter().chain([head])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_batch_takes_back_only_itself() {
        let mut layer = Layer::<Vec<u8>>::new(Head::default());
        let set = |layer: &mut Layer<_>, key: u8, value: Option<u8>| {
            layer.set(vec![key], value.map(|value| vec![value]));
        };
        set(&mut layer, 1, Some(1));
        set(&mut layer, 2, None);
        layer.head.last_seq = 1;
        layer.keep();
        let kept = layer.changes.clone();

        set(&mut layer, 1, Some(2));
        set(&mut layer, 1, None);
        set(&mut layer, 2, Some(2));
        set(&mut layer, 3, Some(3));
        layer.head.last_seq = 5;
        layer.take_back();
        assert_eq!((layer.changes, layer.head.last_seq), (kept, 1));
    }
}
