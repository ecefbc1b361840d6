//! The tree, read through the changes under way.

use std::iter::Peekable;

use haos_store_api::{Codec, Error, Result};
use sled::{IVec, Tree};

use crate::draft::Changes;
use crate::error::fault;
use crate::head::Head;
use crate::keys;
use haos_store_api::native::corrupt;

/// A view for the length of one read or one batch.
#[derive(Clone, Copy)]
pub(crate) struct Db<'a> {
    pub(crate) tree: &'a Tree,
    /// What a batch under way has changed.
    pub(crate) changes: Option<&'a Changes>,
    pub(crate) codec: &'a Codec,
    pub(crate) operation: &'static str,
}

/// A key and its value.
pub(crate) type Pair = (IVec, IVec);

type Stored<'a> = Box<dyn Iterator<Item = sled::Result<Pair>> + 'a>;
type Changed<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<IVec>)> + 'a>;

/// Which way a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Up,
    Down,
}

impl<'a> Db<'a> {
    pub(crate) fn get(self, key: &[u8]) -> Result<Option<IVec>> {
        if let Some(changed) = self.changes.and_then(|changes| changes.get(key)) {
            return Ok(changed.clone());
        }
        self.tree.get(key).map_err(|e| fault(self.operation, e))
    }

    pub(crate) fn has(self, key: &[u8]) -> Result<bool> {
        Ok(self.get(key)?.is_some())
    }

    /// The pairs between two keys, both included.
    pub(crate) fn scan(self, (from, to): (Vec<u8>, Vec<u8>), order: Order) -> Scan<'a> {
        let span = || from.clone()..=to.clone();
        // A map refuses a range that is the wrong way round.
        let changed = self.changes.filter(|_| from <= to).map(|changes| changes.range(span()));
        let changed = changed.into_iter().flatten();
        let stored = self.tree.range(span());
        let (stored, changed): (Stored<'a>, Changed<'a>) = match order {
            Order::Up => (Box::new(stored), Box::new(changed)),
            Order::Down => (Box::new(stored.rev()), Box::new(changed.rev())),
        };
        Scan { stored: stored.peekable(), changed: changed.peekable(), order, operation: self.operation }
    }

    /// The store's counters; none in a tree that nothing was ever written to.
    pub(crate) fn head(self) -> Result<Option<Head>> {
        self.get(&keys::head())?.map(|bytes| Head::decode(self.operation, &bytes)).transpose()
    }

    pub(crate) fn corrupt(self, what: &str) -> Error {
        corrupt(self.operation, what)
    }
}

/// Pairs in order: the tree's, and over them the changes'.
pub(crate) struct Scan<'a> {
    stored: Peekable<Stored<'a>>,
    changed: Peekable<Changed<'a>>,
    order: Order,
    operation: &'static str,
}

impl Iterator for Scan<'_> {
    type Item = Result<Pair>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((changed, _)) = self.changed.peek()
                && !matches!(self.stored.peek(), Some(Err(_)))
            {
                let stored = match self.stored.peek() {
                    Some(Ok((key, _))) => {
                        let order = changed.as_slice().cmp(key);
                        if self.order == Order::Up { order } else { order.reverse() }
                    }
                    _ => std::cmp::Ordering::Less,
                };
                if stored.is_le() {
                    if stored.is_eq() {
                        self.stored.next();
                    }
                    if let Some((key, Some(value))) = self.changed.next() {
                        return Some(Ok((IVec::from(key.as_slice()), value.clone())));
                    }
                    continue;
                }
            }
            return Some(self.stored.next()?.map_err(|e| fault(self.operation, e)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree() -> (sled::Db, Tree) {
        let db = sled::Config::new().temporary(true).flush_every_ms(None).open().unwrap();
        let tree = db.open_tree("t").unwrap();
        (db, tree)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn a_scan_sees_what_the_tree_would_hold(
            stored in prop::collection::btree_map(0..40_u8, any::<u8>(), 0..30),
            changed in prop::collection::btree_map(0..40_u8, any::<Option<u8>>(), 0..30),
            from in 0..40_u8, to in 0..40_u8,
        ) {
            let (_db, tree) = tree();
            for (key, value) in &stored {
                tree.insert([*key], vec![*value]).unwrap();
            }
            let one = |value: &Option<u8>| value.map(|value| IVec::from(vec![value]));
            let changes: Changes = changed.iter().map(|(key, value)| (vec![*key], one(value))).collect();
            let mut expected = stored.clone();
            for (key, value) in &changed {
                match value {
                    Some(value) => expected.insert(*key, *value),
                    None => expected.remove(key),
                };
            }
            let mut expected: Vec<(u8, u8)> =
                expected.into_iter().filter(|(key, _)| (from..=to).contains(key)).collect();
            let codec = Codec::plain();
            let db = Db { tree: &tree, changes: Some(&changes), codec: &codec, operation: "test" };
            let scan = |order| -> Vec<(u8, u8)> {
                db.scan((vec![from], vec![to]), order)
                    .map(|pair| pair.map(|(key, value)| (key[0], value[0])).unwrap())
                    .collect()
            };
            prop_assert_eq!(scan(Order::Up), expected.clone());
            expected.reverse();
            prop_assert_eq!(scan(Order::Down), expected);
            for key in 0..40 {
                let wanted = match changed.get(&key) {
                    Some(value) => *value,
                    None => stored.get(&key).copied(),
                };
                prop_assert_eq!(db.get(&[key]).unwrap().map(|value| value[0]), wanted);
            }
        }
    }
}
