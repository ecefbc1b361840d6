use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::Arc;

use crate::Result;

/// A key and its value.
pub type Pair<B> = (B, B);

/// The first and the last key of a range.
pub type Span = (Vec<u8>, Vec<u8>);

/// An ordered map from bytes to bytes, as a database offers it: keys sort by their bytes.
///
/// Reads see whole commits alone; the engine's caller ensures that.
pub trait Tree {
    /// A key or a value, cheap to clone.
    type Bytes: Deref<Target = [u8]> + Clone + From<Vec<u8>>;

    /// Reads the value of a key.
    ///
    /// # Errors
    /// Those of the database, with the name of `operation`.
    fn get(&self, operation: &'static str, key: &[u8]) -> Result<Option<Self::Bytes>>;

    /// Reads the pairs of a span in the order of their keys, from either end. The first key is not after the last.
    fn scan(
        &self,
        operation: &'static str,
        span: Span,
    ) -> impl DoubleEndedIterator<Item = Result<Pair<Self::Bytes>>>;
}

/// The tree of the store in memory.
pub(crate) type Map = BTreeMap<Arc<[u8]>, Arc<[u8]>>;

impl Tree for Map {
    type Bytes = Arc<[u8]>;

    fn get(&self, _: &'static str, key: &[u8]) -> Result<Option<Arc<[u8]>>> {
        Ok(self.get(key).cloned())
    }

    fn scan(
        &self,
        _: &'static str,
        (from, to): Span,
    ) -> impl DoubleEndedIterator<Item = Result<Pair<Arc<[u8]>>>> {
        use std::ops::Bound::Included;
        let pairs = self.range::<[u8], _>((Included(from.as_slice()), Included(to.as_slice())));
        pairs.map(|(key, value)| Ok((key.clone(), value.clone())))
    }
}
