use super::draft::Draft;
use super::rows::Transaction;
use super::tree::Tree;
use crate::{Codec, Commit, Result, WriteBatch, law};

/// Applies a batch to a draft over the tree, by the laws. A batch that fails leaves the draft unchanged.
///
/// # Errors
/// As [`law::apply`].
pub fn apply<T: Tree>(
    tree: &T,
    codec: &Codec,
    draft: &mut Draft<T::Bytes>,
    batch: &WriteBatch,
) -> Result<Commit> {
    let next = draft.head.revision.next();
    let applied = law::apply(&mut Transaction::new(tree, codec, draft, next), batch, next);
    match applied {
        Ok(applied) => {
            if applied.changed {
                draft.head.revision = next;
                draft.keep();
            } else {
                draft.take_back();
            }
            Ok(Commit { revision: draft.head.revision, changed: applied.changed, assigned: applied.assigned })
        }
        Err(error) => {
            draft.take_back();
            Err(error)
        }
    }
}
