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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::super::head::Head;
    use super::super::keys;
    use super::super::tree::{Map, Pair, Span};
    use super::*;
    use crate::conformance::durable::{gap, message, room, room_id};
    use crate::{Gap, Position, Revision};

    /// A map that counts the gaps that are read.
    struct Counted {
        map: Map,
        gaps: Cell<usize>,
    }

    impl Tree for Counted {
        type Bytes = Arc<[u8]>;

        fn get(&self, operation: &'static str, key: &[u8]) -> Result<Option<Arc<[u8]>>> {
            Tree::get(&self.map, operation, key)
        }

        fn scan(
            &self,
            operation: &'static str,
            span: Span,
        ) -> impl DoubleEndedIterator<Item = Result<Pair<Arc<[u8]>>>> {
            self.map.scan(operation, span).inspect(|pair| {
                let is_gap = pair.as_ref().is_ok_and(|(key, _)| key[0] == keys::GAP);
                self.gaps.set(self.gaps.get() + usize::from(is_gap));
            })
        }
    }

    /// What a batch reads of a room's gaps does not depend on how many there are.
    #[test]
    fn a_batch_reads_the_gaps_beside_its_places_alone() {
        let codec = Codec::plain();
        let write = |tree: &mut Counted, head, batch: &WriteBatch| {
            let mut layer = Layer::new(head);
            apply(tree, &codec, &mut layer, batch).unwrap();
            let head = layer.head;
            for (key, value) in layer.into_changes() {
                match value {
                    Some(value) => drop(tree.map.insert(key.into(), value)),
                    None => drop(tree.map.remove(key.as_slice())),
                }
            }
            head
        };
        let cost = |gaps: u64| {
            let mut tree = Counted { map: Map::new(), gaps: Cell::new(0) };
            let mut batch = WriteBatch::relaxed();
            batch.put_room(room("a"));
            for n in 0..gaps {
                batch.put_gap(gap("a", n * 1000, "token")).put_message(message(
                    "a",
                    &format!("m{n}"),
                    n * 1000 + 900,
                ));
            }
            let head = write(&mut tree, Head::default(), &batch);
            tree.gaps.set(0);
            let at = |n: u64| Position::new(Position::FIRST.get() + n).unwrap();
            let mut batch = WriteBatch::relaxed();
            batch.expect_gap(&Gap { revision: Revision(1), ..gap("a", 5000, "token") });
            for n in 0..300 {
                batch.put_message(message("a", &format!("new{n}"), 5001 + n));
            }
            batch.put_gap(gap("a", 6000, "another")).put_gap(gap("a", 6950, "token"));
            batch.remove_gap(room_id("a"), at(5000));
            batch.renumber(room_id("a"), vec![(at(5001), at(5400)), (at(7000), at(7001))]);
            let changed = write(&mut tree, head, &batch);
            assert_eq!(changed.revision, Revision(2));
            tree.gaps.get()
        };
        for gaps in [20, 2000] {
            let read = cost(gaps);
            assert!(read < 30, "{read} of {gaps}");
        }
    }
}
