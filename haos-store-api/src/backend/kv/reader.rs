use std::iter::Peekable;

use super::head::Head;
use super::layer::Changes;
use super::tree::{Pair, Span, Tree};
use super::{corrupt, keys};
use crate::{Codec, Error, Result};

/// The rows of a tree, read through the changes under way, for the length of one read or one batch.
pub struct Reader<'a, T: Tree> {
    tree: &'a T,
    changes: Option<&'a Changes<T::Bytes>>,
    pub(super) codec: &'a Codec,
    pub(super) operation: &'static str,
}

impl<T: Tree> Clone for Reader<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Tree> Copy for Reader<'_, T> {}

impl<T: Tree> std::fmt::Debug for Reader<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("operation", &self.operation).finish_non_exhaustive()
    }
}

type Pairs<'a, B> = Peekable<Box<dyn Iterator<Item = Result<Pair<B>>> + 'a>>;
type Changed<'a, B> = Peekable<Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<B>)> + 'a>>;

/// The direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By ascending keys.
    Up,
    /// By descending keys.
    Down,
}

impl<'a, T: Tree> Reader<'a, T> {
    /// Reads committed rows; errors name `operation`.
    pub fn new(tree: &'a T, codec: &'a Codec, operation: &'static str) -> Self {
        Self { tree, changes: None, codec, operation }
    }

    /// Reads through changes that lie over the tree.
    pub fn through(self, changes: &'a Changes<T::Bytes>) -> Self {
        Self { changes: Some(changes), ..self }
    }

    /// Reads with another codec.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub(super) fn through_codec(self, codec: &'a Codec) -> Self {
        Self { codec, ..self }
    }

    /// Reads the value of a key.
    ///
    /// # Errors
    /// As [`Tree::get`].
    pub fn get(self, key: &[u8]) -> Result<Option<T::Bytes>> {
        if let Some(changed) = self.changes.and_then(|changes| changes.get(key)) {
            return Ok(changed.clone());
        }
        self.tree.get(self.operation, key)
    }

    pub(super) fn has(self, key: &[u8]) -> Result<bool> {
        Ok(self.get(key)?.is_some())
    }

    /// Reads the pairs of a span, which is empty if its first key is after its last.
    pub fn scan(self, span: Span, order: Order) -> Scan<'a, T::Bytes> {
        let is_empty = span.0 > span.1;
        let changed =
            self.changes.filter(|_| !is_empty).map(|changes| changes.range(span.0.clone()..=span.1.clone()));
        let changed = changed.into_iter().flatten();
        let stored = (!is_empty).then(|| self.tree.scan(self.operation, span)).into_iter().flatten();
        let (stored, changed): (Box<dyn Iterator<Item = _> + 'a>, Box<dyn Iterator<Item = _> + 'a>) =
            match order {
                Order::Up => (Box::new(stored), Box::new(changed)),
                Order::Down => (Box::new(stored.rev()), Box::new(changed.rev())),
            };
        Scan { stored: stored.peekable(), changed: changed.peekable(), order }
    }

    /// Reads the store's counters; absent in an empty tree.
    ///
    /// # Errors
    /// As [`Head::decode`].
    pub fn head(self) -> Result<Option<Head>> {
        self.get(&keys::head())?.map(|bytes| Head::decode(self.operation, &bytes)).transpose()
    }

    pub(super) fn corrupt(self, what: &str) -> Error {
        corrupt(self.operation, what)
    }
}

/// Pairs in order: the tree's, and over them the changes'.
pub struct Scan<'a, B> {
    stored: Pairs<'a, B>,
    changed: Changed<'a, B>,
    order: Order,
}

impl<B> std::fmt::Debug for Scan<'_, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scan").field("order", &self.order).finish_non_exhaustive()
    }
}

impl<B: std::ops::Deref<Target = [u8]> + Clone + From<Vec<u8>>> Iterator for Scan<'_, B> {
    type Item = Result<Pair<B>>;

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
                        return Some(Ok((B::from(key.clone()), value.clone())));
                    }
                    continue;
                }
            }
            return self.stored.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tree::Map;
    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_scan_sees_what_the_tree_would_hold(
            stored in prop::collection::btree_map(0..40_u8, any::<u8>(), 0..30),
            changed in prop::collection::btree_map(0..40_u8, any::<Option<u8>>(), 0..30),
            from in 0..40_u8, to in 0..40_u8,
        ) {
            let tree: Map = stored.iter().map(|(key, value)| ([*key].into(), [*value].into())).collect();
            let changes: Changes<_> =
                changed.iter().map(|(key, value)| (vec![*key], value.map(|value| [value].into()))).collect();
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
            let reader = Reader::new(&tree, &codec, "test").through(&changes);
            let scan = |order| -> Vec<(u8, u8)> {
                reader
                    .scan((vec![from], vec![to]), order)
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
                prop_assert_eq!(reader.get(&[key]).unwrap().map(|value| value[0]), wanted);
            }
        }
    }
}
