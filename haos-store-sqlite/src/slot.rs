//! Rowids of the timeline: the room's number and the position in one integer.

use haos_store_api::{Error, ErrorKind, Position, Result};

/// Rooms that fit beside a position in a rowid without touching the sign.
const MAX_ROOMS: i64 = 1 << 23;
const MASK: i64 = (1 << Position::BITS) - 1;

/// Makes the rowid of a position in a room.
pub(crate) fn pack(nr: i64, position: Position) -> i64 {
    nr << Position::BITS | (position.get() as i64 & MASK)
}

/// Returns the rowids of a whole room, both ends included.
pub(crate) fn whole(nr: i64) -> (i64, i64) {
    (pack(nr, Position::MIN), pack(nr, Position::MAX))
}

/// Returns the room's number in a rowid.
pub(crate) fn room(pos: i64) -> i64 {
    pos >> Position::BITS
}

/// Returns the position in a rowid.
pub(crate) fn position(pos: i64) -> Result<Position> {
    Position::new((pos & MASK) as u64)
}

/// Refuses numbers that leave no room for a position.
pub(crate) fn check_room(nr: i64) -> Result<i64> {
    if (1..MAX_ROOMS).contains(&nr) {
        return Ok(nr);
    }
    Err(Error::new(
        ErrorKind::Unsupported,
        "apply",
        format!("the store has numbered {MAX_ROOMS} rooms and holds no more: start a new one"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rowids_order_rooms_then_positions() {
        let last = MAX_ROOMS - 1;
        for nr in [1, 2, last] {
            for at in [Position::MIN, Position::FIRST, Position::MAX] {
                let pos = pack(nr, at);
                assert!(pos > 0);
                assert_eq!((room(pos), position(pos).unwrap()), (nr, at));
                assert!((whole(nr).0..=whole(nr).1).contains(&pos));
            }
        }
        assert_eq!(whole(1).1 + 1, whole(2).0);
        assert_eq!(whole(last).1, i64::MAX);
        assert!(check_room(last).is_ok() && check_room(MAX_ROOMS).is_err() && check_room(0).is_err());
    }
}
