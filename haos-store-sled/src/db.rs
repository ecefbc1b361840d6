//! The engine over ordered keys, over sled's tree.

use haos_store_api::Result;
use haos_store_api::backend::kv;
use sled::{Batch, IVec};

use crate::error::fault;

/// sled's tree, for the engine.
#[derive(Debug, Clone)]
pub(crate) struct Tree(pub(crate) sled::Tree);

/// The tree, read.
pub(crate) type Db<'a> = kv::Reader<'a, Tree>;
/// The changes of a commit.
pub(crate) type Layer = kv::Layer<IVec>;

impl kv::Tree for Tree {
    type Bytes = IVec;

    fn get(&self, operation: &'static str, key: &[u8]) -> Result<Option<IVec>> {
        self.0.get(key).map_err(|e| fault(operation, e))
    }

    fn scan(
        &self,
        operation: &'static str,
        (from, to): kv::Span,
    ) -> impl DoubleEndedIterator<Item = Result<kv::Pair<IVec>>> {
        self.0.range(from..=to).map(move |pair| pair.map_err(|e| fault(operation, e)))
    }
}

/// Makes one atomic write of a layer.
pub(crate) fn batch(layer: Layer) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in layer.into_changes() {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
    }
    batch
}
