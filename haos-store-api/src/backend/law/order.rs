use std::cmp::Ordering;

/// Sorts items; equal ones keep their order.
///
/// `slice::sort_by` is compiled again for each sorted type, 3 KB of WebAssembly each time. Here only the moves are: one
/// function for all types sorts numbers.
pub fn sort_by<T>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut order = order(items.len(), &|a, b| compare(&items[a], &items[b]));
    // Follows each cycle of the permutation: an item comes to its place, and the former one there moves on to its own.
    for start in 0..order.len() {
        let mut at = start;
        while order[at] != start {
            let from = std::mem::replace(&mut order[at], at);
            items.swap(at, from);
            at = from;
        }
        order[at] = at;
    }
}

/// Returns the items' indexes in their order.
fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..len).collect();
    order.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sorts_as_the_standard_library_does() {
        // Every sequence of up to seven items of three keys, with a number that tells equal ones apart.
        for len in 0..=7_u32 {
            for which in 0..3_usize.pow(len) {
                let key = |nth: u32| which / 3_usize.pow(nth) % 3;
                let mut items: Vec<_> = (0..len).map(|nth| (key(nth), nth)).collect();
                let mut expected = items.clone();
                expected.sort_by_key(|(key, _)| *key);
                sort_by(&mut items, |a, b| a.0.cmp(&b.0));
                assert_eq!(items, expected);
            }
        }
    }

    /// Takes many items, since an unstable sort, too, keeps the order of a few.
    #[test]
    fn equal_items_stay_in_order_however_many_they_are() {
        for len in [20, 21, 22, 33, 64, 100, 1_000_u32] {
            for keys in [1, 2, 3, 7, 50] {
                let key = |nth: u32| nth.wrapping_mul(0x9E37_79B9).rotate_left(11) % keys;
                let mut items: Vec<_> = (0..len).map(|nth| (key(nth), nth)).collect();
                let mut expected = items.clone();
                expected.sort_by_key(|(key, _)| *key);
                sort_by(&mut items, |a, b| a.0.cmp(&b.0));
                assert_eq!(items, expected, "{len} items of {keys} keys");
            }
        }
    }
}
