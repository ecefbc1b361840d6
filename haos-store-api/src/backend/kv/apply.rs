use super::layer::Layer;
use super::rows::Transaction;
use super::tree::Tree;
use crate::{Codec, Commit, Result, WriteBatch, law};

/// Applies a batch to a layer over the tree, by the laws. A batch that fails leaves the layer unchanged.
///
/// # Errors
/// As [`law::apply`].
pub fn apply<T: Tree>(
    tree: &T,
    codec: &Codec,
    layer: &mut Layer<T::Bytes>,
    batch: &WriteBatch,
) -> Result<Commit> {
    let next = layer.head.revision.next();
    let applied = law::apply(&mut Transaction::new(tree, codec, layer, next), batch, next);
    match applied {
        Ok(applied) => {
            if applied.changed {
                layer.head.revision = next;
                layer.keep();
            } else {
                layer.take_back();
            }
            Ok(Commit { revision: layer.head.revision, changed: applied.changed, assigned: applied.assigned })
        }
        Err(error) => {
            layer.take_back();
            Err(error)
        }
    }
}
