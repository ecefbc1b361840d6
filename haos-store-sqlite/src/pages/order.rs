//! The longest ascending part of a sequence.

/// Returns the indexes of the most items that ascend strictly: one key that is out of order costs itself, and not its
/// neighbours.
pub(super) fn ascending<K: Ord>(keys: &[K]) -> Vec<usize> {
    if keys.is_sorted_by(|a, b| a < b) {
        return (0..keys.len()).collect();
    }
    // The index of the smallest last key of an ascending part of each length, and the index before each.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (nth, key) in keys.iter().enumerate() {
        let length = ends.partition_point(|end| keys[*end] < *key);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        match ends.get_mut(length) {
            // Of equal keys the first one.
            Some(end) if keys[*end] == *key => {}
            Some(end) => *end = nth,
            None => ends.push(nth),
        }
    }
    let mut found = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(nth) = at {
        found.push(nth);
        at = before[nth];
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_key_out_of_order_costs_itself() {
        assert_eq!(ascending(&[1, 2, 900, 4, 5]), [0, 1, 3, 4]);
        assert_eq!(ascending(&[1, 2, -7, 4, 5]), [0, 1, 3, 4]);
        assert_eq!(ascending(&[3, 3]), [0]);
        assert_eq!(ascending::<i64>(&[]), [0; 0]);
    }

    proptest! {
        #[test]
        fn it_ascends_and_is_as_long_as_any(keys in prop::collection::vec(-9..9_i64, 0..10)) {
            let found = ascending(&keys);
            prop_assert!(found.is_sorted_by(|a, b| a < b));
            prop_assert!(found.is_sorted_by(|a, b| keys[*a] < keys[*b]));
            let longest = (0..1_u32 << keys.len())
                .filter(|set| {
                    let part: Vec<_> = (0..keys.len()).filter(|nth| set & 1 << nth != 0).map(|nth| keys[nth]).collect();
                    part.is_sorted_by(|a, b| a < b)
                })
                .map(u32::count_ones)
                .max();
            prop_assert_eq!(Some(found.len() as u32), longest);
        }
    }
}
