use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A map and what it must be.
#[derive(Default)]
struct Twin {
    map: SortedMap<u16, u32>,
    model: BTreeMap<u16, u32>,
}

impl Twin {
    fn step(&mut self, step: u8, key: u16, value: u32) {
        let Self { map, model } = self;
        match step {
            0 => assert_eq!(map.remove(&key), model.remove(&key)),
            1 => assert_eq!(map.pop_first(), model.pop_first()),
            2 => {
                map.retain(|key, value| !(u32::from(*key) + *value).is_multiple_of(5));
                model.retain(|key, value| !(u32::from(*key) + *value).is_multiple_of(5));
            }
            3 => {
                *map.or_default(key) += value;
                *model.entry(key).or_default() += value;
            }
            4 => {
                map.values_mut().for_each(|value| *value = value.wrapping_mul(3));
                model.values_mut().for_each(|value| *value = value.wrapping_mul(3));
            }
            _ => assert_eq!(map.insert(key, value), model.insert(key, value)),
        }
        self.check(key);
    }

    fn check(&mut self, key: u16) {
        let Self { map, model } = self;
        assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
        assert_eq!(map.get(&key), model.get(&key));
        assert_eq!(map.get_mut(&key), model.get_mut(&key));
        assert_eq!(map.contains_key(&key), model.contains_key(&key));
        assert_eq!(map.first(), model.first_key_value());
        assert!(map.iter().eq(model.iter()));
        assert!(map.iter().rev().eq(model.iter().rev()));
        assert!(map.range(key..).eq(model.range(key..)));
        let end = key.saturating_add(170);
        assert!(map.range(key..end).eq(model.range(key..end)));
        assert!(map.range(..=key).rev().eq(model.range(..=key).rev()));
        let beyond = (Bound::Excluded(key), Bound::Included(end));
        assert!(map.range(beyond).rev().eq(model.range(beyond).rev()));
        assert!(map.range::<u16>(..).eq(model.iter()) && map.range(end..key).next().is_none());
        assert!(map.order.lists.iter().all(|list| !list.is_empty() && list.len() <= order::MOST));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_the_map_of_the_standard_library(
        steps in prop::collection::vec((0..40_u8, 0..900_u16, 0..9_u32), 1..1500),
    ) {
        let mut twin = Twin::default();
        for (step, key, value) in steps {
            // One step in five takes out, and seldom more than one item.
            let step = if step == 2 && key > 20 { 9 } else { step };
            twin.step(step, key, value);
        }
        let Twin { map, model } = twin;
        prop_assert!(map.clone().into_values().eq(model.values().copied()));
        // Equal content is equal, however it came to be.
        prop_assert_eq!(&map, &model.clone().into_iter().collect());
        prop_assert!(map.into_iter().eq(model));
    }
}

#[test]
fn ascending_keys_leave_full_lists_behind() {
    let map: SortedMap<usize, ()> = (0..10 * order::MOST).map(|key| (key, ())).collect();
    assert!(map.order.lists.iter().all(|list| list.len() == order::MOST));
}

#[test]
fn a_set_is_that_of_the_standard_library() {
    let mut set: SortedSet<&str> = ["b", "a", "c", "a"].into_iter().collect();
    assert_eq!((set.len(), set.first(), format!("{set:?}").as_str()), (3, Some(&"a"), r#"{"a", "b", "c"}"#));
    assert!(!set.insert("a") && set.insert("d") && set.contains("d"));
    assert!(set.remove("b") && !set.remove("b") && !set.contains("b"));
    assert_eq!(set.pop_first(), Some("a"));
    assert_eq!(set, SortedSet::from_iter(["d", "c"]));
    assert_eq!(set.into_iter().collect::<Vec<_>>(), ["c", "d"]);
    assert!(SortedSet::<u8>::new().is_empty());
}

#[test]
fn a_map_that_is_cleared_is_as_new() {
    let mut map: SortedMap<u8, u8> = (0..200).map(|n| (n, n)).collect();
    map.clear();
    assert!(map.is_empty() && map.range::<u8>(..).next().is_none() && map.insert(3, 4).is_none());
    assert_eq!(map.iter().collect::<Vec<_>>(), [(&3, &4)]);
}
