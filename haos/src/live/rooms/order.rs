use std::cmp::Ordering;

use haos_store_api::Room;

/// A room and the user's order of it, if it is a favourite.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed<'a> {
    /// Absent for other rooms; `Some(None)` for a favourite without an order.
    pub(super) favourite: Option<Option<f64>>,
    pub(super) room: &'a Room,
}

/// Orders the rooms of a list.
///
/// Favourites come first: by the `order` of their tag, the smaller first, those without one after those with one
/// (specification, client-server API, "Room tagging"). Then, and among equals, the latest activity comes first; ties
/// go by id.
pub(super) fn compare(a: Placed<'_>, b: Placed<'_>) -> Ordering {
    let by_order = match (a.favourite, b.favourite) {
        (Some(Some(a)), Some(Some(b))) => a.total_cmp(&b),
        (a, b) => rank(a).cmp(&rank(b)),
    };
    by_order
        .then_with(|| b.room.last_activity_ms.cmp(&a.room.last_activity_ms))
        .then_with(|| a.room.id.cmp(&b.room.id))
}

fn rank(favourite: Option<Option<f64>>) -> u8 {
    match favourite {
        Some(Some(_)) => 0,
        Some(None) => 1,
        None => 2,
    }
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Membership, RoomId};

    use super::*;

    #[test]
    fn favourites_by_their_order_then_the_latest_activity() {
        let sorted = [
            ("!e", Some(Some(0.1)), 1),
            ("!d", Some(Some(0.5)), 7),
            ("!c", Some(Some(0.5)), 2),
            ("!b", Some(None), 8),
            ("!a", Some(None), 3),
            ("!f", None, 9),
            ("!g", None, 4),
            ("!h", None, 4),
        ];
        let sorted = sorted.map(|(id, favourite, ms)| {
            let room = Room::new(RoomId::new(id).unwrap(), Membership::Join);
            (favourite, Room { last_activity_ms: ms, ..room })
        });
        for (at, (a_favourite, a)) in sorted.iter().enumerate() {
            for (then, (b_favourite, b)) in sorted.iter().enumerate() {
                let a = Placed { favourite: *a_favourite, room: a };
                let b = Placed { favourite: *b_favourite, room: b };
                assert_eq!(compare(a, b), at.cmp(&then), "{at} {then}");
            }
        }
    }
}
