use std::collections::HashMap;

use crate::{Position, Room, RoomId};

/// The rooms that the batch met. Messages come in runs of one room, so the latest is looked at first.
#[derive(Default)]
pub(super) struct Touched {
    pub(super) touches: Vec<Touch>,
    index: HashMap<RoomId, usize>,
    latest: usize,
}

impl Touched {
    pub(super) fn find(&mut self, id: &RoomId) -> Option<&mut Touch> {
        if self.touches.get(self.latest).is_none_or(|touch| touch.room.id != *id) {
            self.latest = *self.index.get(id)?;
        }
        self.touches.get_mut(self.latest)
    }

    pub(super) fn insert(&mut self, touch: Touch) -> &mut Touch {
        self.latest = *self.index.entry(touch.room.id.clone()).or_insert(self.touches.len());
        match self.latest < self.touches.len() {
            true => self.touches[self.latest] = touch,
            false => self.touches.push(touch),
        }
        &mut self.touches[self.latest]
    }

    pub(super) fn remove(&mut self, id: &RoomId) -> bool {
        let Some(at) = self.index.remove(id) else { return false };
        self.touches.swap_remove(at);
        if let Some(moved) = self.touches.get(at) {
            self.index.insert(moved.room.id.clone(), at);
        }
        true
    }
}

/// A room that the batch met.
pub(super) struct Touch {
    pub(super) room: Room,
    /// True if its timeline changed and its row does not tell yet.
    pub(super) dirty: bool,
    /// No gap stands between these places, if something is known of them.
    pub(super) without_gaps: Option<Between>,
}

/// Places, both excluded; an absent one is the end of the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Between(pub(super) Option<Position>, pub(super) Option<Position>);

impl Between {
    pub(super) fn holds(self, at: Position) -> bool {
        self.0.is_none_or(|older| older < at) && self.1.is_none_or(|newer| at < newer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::Membership;

    fn id(n: u8) -> RoomId {
        RoomId::new(format!("!{n}")).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 500,
            rng_seed: proptest::test_runner::RngSeed::Fixed(0x4841_4f53),
            failure_persistence: None,
            ..ProptestConfig::default()
        })]
        /// Each room is found as it was put last, and no other in its place, after any sequence of steps.
        #[test]
        fn each_room_is_found_where_it_is(steps in vec((0..8_u8, 0..5_u8), 0..40)) {
            let (mut touched, mut expected) = (Touched::default(), BTreeMap::new());
            for (turn, (what, n)) in (0..).zip(steps) {
                match what {
                    0..3 => {
                        let room = Room { last_activity_ms: turn, ..Room::new(id(n), Membership::Join) };
                        let put = touched.insert(Touch { room, dirty: false, without_gaps: None });
                        prop_assert_eq!(put.room.last_activity_ms, turn);
                        expected.insert(n, turn);
                    }
                    3..5 => prop_assert_eq!(touched.remove(&id(n)), expected.remove(&n).is_some()),
                    5 => {
                        let found = touched.find(&id(n)).map(|touch| touch.room.last_activity_ms);
                        prop_assert_eq!(found, expected.get(&n).copied());
                    }
                    _ => {
                        for n in 0..5 {
                            let found = touched.find(&id(n));
                            let found = found.map(|touch| (touch.room.id.clone(), touch.room.last_activity_ms));
                            prop_assert_eq!(found, expected.get(&n).map(|turn| (id(n), *turn)));
                        }
                    }
                }
                // Each once.
                prop_assert_eq!(touched.touches.len(), expected.len());
            }
        }
    }
}
