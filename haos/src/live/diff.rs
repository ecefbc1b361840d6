//! The differences of two lists, as a screen takes them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// One step from an older list to a newer one. Steps are applied in order, each to the outcome of the one before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Diff<T> {
    /// The list is this one.
    Reset {
        /// All items.
        items: Vec<T>,
    },
    /// An item comes in.
    Insert {
        /// Its index from then on, at most the length.
        index: usize,
        /// The item.
        item: T,
    },
    /// An item is other than before; its id is the same.
    Set {
        /// Its index.
        index: usize,
        /// The item.
        item: T,
    },
    /// An item goes.
    Remove {
        /// Its index.
        index: usize,
    },
    /// An item changes its place, and is the same.
    Move {
        /// Its index before.
        from: usize,
        /// Its index afterwards: where it stands once it was taken out and put in again.
        to: usize,
    },
    /// The items from this index on go.
    Truncate {
        /// The length from then on.
        len: usize,
    },
}

/// A step that does not fit the list: it was made for another one, so that a fresh subscription is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this step does not fit the list, which has {len} items: subscribe again")]
pub struct OutOfStep {
    /// The length of the list.
    pub len: usize,
}

impl<T> Diff<T> {
    /// Takes the step on a mirror of the list.
    ///
    /// # Errors
    /// [`OutOfStep`] for an index beyond the list, which is left as it is.
    pub fn apply(self, list: &mut Vec<T>) -> Result<(), OutOfStep> {
        let len = list.len();
        let within = |index: usize, end: usize| if index < end { Ok(()) } else { Err(OutOfStep { len }) };
        match self {
            Self::Reset { items } => *list = items,
            Self::Insert { index, item } => {
                within(index, len + 1)?;
                list.insert(index, item);
            }
            Self::Set { index, item } => {
                within(index, len)?;
                list[index] = item;
            }
            Self::Remove { index } => {
                within(index, len)?;
                list.remove(index);
            }
            Self::Move { from, to } => {
                within(from.max(to), len)?;
                let item = list.remove(from);
                list.insert(to, item);
            }
            Self::Truncate { len: shorter } => {
                within(shorter, len + 1)?;
                list.truncate(shorter);
            }
        }
        Ok(())
    }

    /// Turns the items into others, such as those of a binding.
    pub fn map<U>(self, mut other: impl FnMut(T) -> U) -> Diff<U> {
        match self {
            Self::Reset { items } => Diff::Reset { items: items.into_iter().map(other).collect() },
            Self::Insert { index, item } => Diff::Insert { index, item: other(item) },
            Self::Set { index, item } => Diff::Set { index, item: other(item) },
            Self::Remove { index } => Diff::Remove { index },
            Self::Move { from, to } => Diff::Move { from, to },
            Self::Truncate { len } => Diff::Truncate { len },
        }
    }
}

/// Returns the steps from one list to another; none if they are equal. `key` is an item's id, one an item in each list.
/// What both have in the same order stays where it is, so that the fewest items move; where most of the list is other,
/// it is a single reset.
pub(crate) fn diffs<T: Clone + PartialEq>(
    old: &[T],
    new: &[T],
    key: impl for<'a> Fn(&'a T) -> &'a str,
) -> Vec<Diff<T>> {
    if old.is_empty() && new.is_empty() {
        return Vec::new();
    }
    let targets: HashMap<&str, usize> = new.iter().enumerate().map(|(at, item)| (key(item), at)).collect();
    let mut steps = Vec::new();
    // What is left of the old list, as indexes of the new one.
    let mut work: Vec<usize> = old.iter().filter_map(|item| targets.get(key(item)).copied()).collect();
    if work.is_empty() {
        return vec![Diff::Reset { items: new.to_vec() }];
    }
    let kept = |item: &T| targets.contains_key(key(item));
    let end = old.iter().rposition(kept).map_or(0, |last| last + 1);
    if end < old.len() {
        steps.push(Diff::Truncate { len: end });
    }
    for index in (0..end).rev().filter(|index| !kept(&old[*index])) {
        steps.push(Diff::Remove { index });
    }
    let mut stays = vec![false; new.len()];
    longest_rise(&work).into_iter().for_each(|target| stays[target] = true);
    let mut is_there = vec![false; new.len()];
    work.iter().for_each(|target| is_there[*target] = true);
    // The place behind the item before.
    let mut next = 0;
    for (target, item) in new.iter().enumerate() {
        if stays[target] {
            next += work[next..].iter().position(|found| *found == target).unwrap_or_default() + 1;
            continue;
        }
        if is_there[target] {
            let from = work.iter().position(|found| *found == target).unwrap_or_default();
            work.remove(from);
            let to = if from < next { next - 1 } else { next };
            work.insert(to, target);
            steps.push(Diff::Move { from, to });
            next = to + 1;
        } else {
            work.insert(next, target);
            steps.push(Diff::Insert { index: next, item: item.clone() });
            next += 1;
        }
    }
    let before: HashMap<usize, &T> =
        old.iter().filter_map(|item| Some((*targets.get(key(item))?, item))).collect();
    for (index, item) in new.iter().enumerate() {
        if before.get(&index).is_some_and(|before| *before != item) {
            steps.push(Diff::Set { index, item: item.clone() });
        }
    }
    match steps.len() > 8 + new.len() / 2 {
        true => vec![Diff::Reset { items: new.to_vec() }],
        false => steps,
    }
}

/// Returns the longest rising part of a list of different numbers.
fn longest_rise(list: &[usize]) -> Vec<usize> {
    // The index of the least number that a rise of each length ends with, and the one before each.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), vec![None; list.len()]);
    for (at, number) in list.iter().enumerate() {
        let length = ends.partition_point(|end: &usize| list[*end] < *number);
        before[at] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut rise: Vec<usize> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| list[at]).collect();
    rise.reverse();
    rise
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    type Item = (String, u8);

    fn steps(old: &[Item], new: &[Item]) -> Vec<Diff<Item>> {
        diffs(old, new, |item| &item.0)
    }

    fn list() -> impl Strategy<Value = Vec<Item>> {
        proptest::collection::vec((0..24_u8, 0..3_u8), 0..20).prop_map(|items| {
            let mut seen = BTreeSet::new();
            let items = items.into_iter().filter(|item| seen.insert(item.0));
            items.map(|(id, text)| (id.to_string(), text)).collect()
        })
    }

    fn plain(ids: &[u8]) -> Vec<Item> {
        ids.iter().map(|id| item(*id, 0)).collect()
    }

    fn item(id: u8, text: u8) -> Item {
        (id.to_string(), text)
    }

    #[test]
    fn the_fewest_items_move() {
        let old = plain(&[1, 2, 3, 4, 5]);
        assert_eq!(steps(&old, &plain(&[2, 3, 4, 5, 1])), [Diff::Move { from: 0, to: 4 }]);
        assert_eq!(steps(&old, &plain(&[5, 1, 2, 3, 4])), [Diff::Move { from: 4, to: 0 }]);
        assert_eq!(steps(&old, &plain(&[1, 2])), [Diff::Truncate { len: 2 }]);
        assert_eq!(steps(&old, &plain(&[1, 2, 4, 5])), [Diff::Remove { index: 2 }]);
        assert_eq!(steps(&old, &plain(&[1, 9, 2, 3, 4, 5])), [Diff::Insert { index: 1, item: item(9, 0) }]);
        assert_eq!(
            steps(&old, &[item(1, 0), item(2, 0), item(3, 7), item(4, 0), item(5, 0)]),
            [Diff::Set { index: 2, item: item(3, 7) }]
        );
        assert_eq!(steps(&old, &old), []);
        assert_eq!(steps(&old, &plain(&[7, 8])), [Diff::Reset { items: plain(&[7, 8]) }]);
    }

    #[test]
    fn a_step_beyond_the_list_is_refused_and_changes_nothing() {
        let mut list = plain(&[1, 2]);
        for step in [
            Diff::Insert { index: 3, item: item(9, 0) },
            Diff::Set { index: 2, item: item(9, 0) },
            Diff::Remove { index: 2 },
            Diff::Move { from: 0, to: 2 },
            Diff::Move { from: 2, to: 0 },
            Diff::Truncate { len: 3 },
        ] {
            assert_eq!(step.apply(&mut list), Err(OutOfStep { len: 2 }));
        }
        assert_eq!(list, plain(&[1, 2]));
    }

    proptest! {
        #[test]
        fn a_mirror_ends_at_the_new_list(old in list(), new in list()) {
            let mut mirror = old.clone();
            for step in steps(&old, &new) {
                prop_assert_eq!(step.apply(&mut mirror), Ok(()));
            }
            prop_assert_eq!(mirror, new);
        }

        #[test]
        fn what_keeps_its_order_does_not_move(list in list(), away in 0..20_usize) {
            let mut new = list.clone();
            new.truncate(away.min(new.len()));
            let moved = steps(&list, &new).into_iter().any(|step| matches!(step, Diff::Move { .. }));
            prop_assert!(!moved);
        }
    }
}
