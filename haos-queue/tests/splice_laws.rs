//! The laws of splicing hold for any answer, also one in another order than the store's: a server's
//! stream order and its topological order differ.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use haos_queue::reconcile::{Older, PlanError, Segment, Slot, Stored, Window, place, splice};
use haos_store_api::{EventId, Position};
use proptest::prelude::*;

fn id(n: u8) -> EventId {
    EventId::new(format!("${n}")).unwrap()
}

fn window() -> impl Strategy<Value = Window> {
    let item = prop_oneof![
        6 => (0..20u8).prop_map(|n| Slot::Anchor(id(n))),
        1 => (20..24u8).prop_map(|n| Slot::Provisional(id(n))),
        2 => Just(Slot::Gap(Some("t".to_owned()))),
    ];
    let items = proptest::collection::vec((item, 1..4u64), 0..12);
    (items, any::<bool>(), any::<bool>()).prop_map(|(items, older, newer)| {
        let mut position = Position::FIRST;
        let mut ids = std::collections::HashSet::new();
        let mut window = Window { items: Vec::new(), older, newer };
        for (item, step) in items {
            let twice = match &item {
                Slot::Anchor(id) | Slot::Provisional(id) => !ids.insert(id.clone()),
                _ => window.items.last().is_some_and(|last| matches!(last.item, Slot::Gap(_))),
            };
            if !twice {
                position = position.newer(step).unwrap();
                window.items.push(Stored { position, item });
            }
        }
        window
    })
}

fn kept(order: &[(Option<Position>, Slot)]) -> Vec<Slot> {
    order
        .iter()
        .filter(|(was, slot)| was.is_some() && !matches!(slot, Slot::Gap(_)))
        .map(|(_, s)| s.clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn any_answer(
        window in window(),
        events in proptest::collection::hash_set(0..28u8, 0..10),
        older in prop_oneof![Just(Older::Joined), Just(Older::Start), Just(Older::Token(Some("u".to_owned())))],
        gap in any::<Option<prop::sample::Index>>(),
    ) {
        let gaps: Vec<_> = window.items.iter().filter(|s| matches!(s.item, Slot::Gap(_))).collect();
        let gap = gap.filter(|_| !gaps.is_empty()).map(|at| at.get(&gaps).position);
        let ids: Vec<EventId> = events.into_iter().map(id).collect();
        let segment = Segment { events: ids.iter().collect(), older, gap };
        let order = splice(&window, &segment);

        // What is confirmed stays, in its order; what was a guess goes only if it is placed for good.
        let confirmed: Vec<_> = window
            .items
            .iter()
            .filter(|stored| match &stored.item {
                Slot::Anchor(_) => true,
                Slot::Provisional(id) => !ids.contains(id),
                _ => false,
            })
            .map(|stored| stored.item.clone())
            .collect();
        prop_assert_eq!(kept(&order), confirmed);
        // Every new event is there, once.
        let mut new: Vec<usize> =
            order.iter().filter_map(|(_, slot)| if let Slot::New(n) = slot { Some(*n) } else { None }).collect();
        new.sort_unstable();
        let anchors: Vec<_> = window.items.iter().map(|s| &s.item).collect();
        let expected: Vec<usize> =
            (0..ids.len()).filter(|n| !anchors.contains(&&Slot::Anchor(ids[*n].clone()))).collect();
        prop_assert_eq!(new, expected);
        prop_assert!(!order.windows(2).any(|p| matches!((&p[0].1, &p[1].1), (Slot::Gap(_), Slot::Gap(_)))));

        match place(&order, &window) {
            Ok(positions) => {
                prop_assert_eq!(positions.len(), order.len());
                prop_assert!(positions.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", positions);
            }
            Err(e) => prop_assert!(e == PlanError::Narrow && (window.older || window.newer)),
        }
    }
}

/// A late answer without a known base: its last events go beside the anchor they touch.
#[test]
fn a_trailing_run_stays_beside_its_anchor() {
    let stored = |n: u8, position: u64| Stored {
        position: Position::new(position).unwrap(),
        item: Slot::Anchor(id(n)),
    };
    let window = Window { items: vec![stored(1, 10), stored(2, 99)], ..Window::default() };
    let events = [id(1), id(7)];
    let segment = Segment { events: events.iter().collect(), older: Older::Joined, gap: None };
    let order = splice(&window, &segment);
    assert_eq!(order[1], (None, Slot::New(1)));
    let positions = place(&order, &window).unwrap();
    assert_eq!(positions.iter().map(|p| p.get()).collect::<Vec<_>>(), [10, 11, 99]);
}

/// An answer that begins with history leaves no gap before it, whether it meets what is stored or not.
#[test]
fn nothing_is_before_the_beginning() {
    let gap = || Stored { position: Position::new(5).unwrap(), item: Slot::Gap(Some("t".to_owned())) };
    let anchor = Stored { position: Position::new(9).unwrap(), item: Slot::Anchor(id(3)) };
    for (items, events) in [
        (vec![gap(), anchor.clone()], vec![id(1), id(3), id(4)]),
        (vec![gap(), anchor], vec![id(3), id(4)]),
        (vec![gap()], vec![id(1)]),
    ] {
        let window = Window { items, ..Window::default() };
        let order = |older| {
            let segment = Segment { events: events.iter().collect(), older, gap: None };
            splice(&window, &segment).iter().filter(|(_, slot)| matches!(slot, Slot::Gap(_))).count()
        };
        assert_eq!(order(Older::Start), 0);
        assert_eq!(order(Older::Joined), 1, "nothing is guessed");
    }
}
