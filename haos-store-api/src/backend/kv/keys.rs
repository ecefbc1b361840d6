//! Keys of the tree. Their bytes sort as the values they stand for, and their first byte names the collection or index;
//! numbers are big-endian.

use crate::{Key, Position};

/// Counters and sums: one record.
pub const HEAD: u8 = 0;
/// `key(16)`: a room's row.
pub const ROOM: u8 = 1;
/// `number(4)` to the room's key.
pub const NUMBER: u8 = 2;
/// `activity(8, latest first) | room key(16)`.
pub const ACTIVITY: u8 = 3;
/// `room(4) | position(5)`: a message's row.
pub const MESSAGE: u8 = 4;
/// `room(4) | event key(16)` to the position.
pub const EVENT: u8 = 5;
/// `room(4) | key(16) of the event related to | position(5)`.
pub const TARGET: u8 = 6;
/// `transaction key(16) | room(4) | position(5)`.
pub const TXN: u8 = 7;
/// `room(4) | position(5)`: a gap's row.
pub const GAP: u8 = 8;
/// `seq(8)`: an outbox row.
pub const PENDING: u8 = 9;
/// `transaction key(16)` to the sequence number.
pub const PENDING_TXN: u8 = 10;
/// `room key(16) | seq(8)`.
pub const PENDING_ROOM: u8 = 11;
/// `key(16)`: a media item's row.
pub const MEDIA: u8 = 12;
/// `blob(8) | index(8)`: a chunk of its bytes.
pub const CHUNK: u8 = 13;
/// `scope key(16) | kind key(16) | key(16)`: a state entry's row.
pub const STATE: u8 = 14;

const KEY: usize = Key::BYTES;
const POSITION: usize = (Position::BITS / 8) as usize;

fn join(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + parts.iter().map(|part| part.len()).sum::<usize>());
    key.push(tag);
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}

/// Encodes a position in five bytes.
pub fn position(position: Position) -> [u8; POSITION] {
    let [_, _, _, bytes @ ..] = position.get().to_be_bytes();
    bytes
}

/// Decodes a position of five bytes.
pub fn parse_position(bytes: &[u8]) -> Option<Position> {
    let [a, b, c, d, e] = *<&[u8; POSITION]>::try_from(bytes).ok()?;
    Position::new(u64::from_be_bytes([0, 0, 0, a, b, c, d, e])).ok()
}

/// Encodes a time for the order of rooms: the later, the smaller.
pub fn newest_first(ms: i64) -> [u8; 8] {
    // With the top bit flipped, two's complement orders as unsigned numbers do.
    (!(ms as u64 ^ 1 << 63)).to_be_bytes()
}

/// Makes the key of the record of counters.
pub fn head() -> Vec<u8> {
    join(HEAD, &[])
}

/// Makes the key of a room's row.
pub fn room(key: &Key) -> Vec<u8> {
    join(ROOM, &[key.as_bytes()])
}

/// Makes the key from a room's number to its key.
pub fn number(nr: u32) -> Vec<u8> {
    join(NUMBER, &[&nr.to_be_bytes()])
}

/// Makes the key of a room in the order of activity.
pub fn activity(ms: i64, room: &Key) -> Vec<u8> {
    join(ACTIVITY, &[&newest_first(ms), room.as_bytes()])
}

/// Makes the start of the rooms of at most this activity.
pub fn activity_from(ms: i64) -> Vec<u8> {
    join(ACTIVITY, &[&newest_first(ms)])
}

/// Makes the key of a message's row.
pub fn message(nr: u32, at: Position) -> Vec<u8> {
    join(MESSAGE, &[&nr.to_be_bytes(), &position(at)])
}

/// Makes the key from an event to its position.
pub fn event(nr: u32, event: &Key) -> Vec<u8> {
    join(EVENT, &[&nr.to_be_bytes(), event.as_bytes()])
}

/// Makes the key of a relation.
pub fn target(nr: u32, target: &Key, at: Position) -> Vec<u8> {
    join(TARGET, &[&nr.to_be_bytes(), target.as_bytes(), &position(at)])
}

/// Makes the key of a message by its transaction.
pub fn txn(txn: &Key, nr: u32, at: Position) -> Vec<u8> {
    join(TXN, &[txn.as_bytes(), &nr.to_be_bytes(), &position(at)])
}

/// Makes the key of a gap's row.
pub fn gap(nr: u32, at: Position) -> Vec<u8> {
    join(GAP, &[&nr.to_be_bytes(), &position(at)])
}

/// Makes the key of an outbox row.
pub fn pending(seq: u64) -> Vec<u8> {
    join(PENDING, &[&seq.to_be_bytes()])
}

/// Makes the key from a transaction to its outbox row.
pub fn pending_txn(txn: &Key) -> Vec<u8> {
    join(PENDING_TXN, &[txn.as_bytes()])
}

/// Makes the key of an outbox row by its room.
pub fn pending_room(room: &Key, seq: u64) -> Vec<u8> {
    join(PENDING_ROOM, &[room.as_bytes(), &seq.to_be_bytes()])
}

/// Makes the key of a media item's row.
pub fn media(key: &Key) -> Vec<u8> {
    join(MEDIA, &[key.as_bytes()])
}

/// Makes the key of a chunk.
pub fn chunk(blob: u64, index: u64) -> Vec<u8> {
    join(CHUNK, &[&blob.to_be_bytes(), &index.to_be_bytes()])
}

/// Makes the key of a state entry's row.
pub fn state(scope: &Key, kind: &Key, key: &Key) -> Vec<u8> {
    join(STATE, &[scope.as_bytes(), kind.as_bytes(), key.as_bytes()])
}

/// Returns both ends of the keys that begin with a scope, or with a scope and a kind.
pub fn states(scope: &Key, kind: Option<&Key>) -> (Vec<u8>, Vec<u8>) {
    let from = match kind {
        Some(kind) => join(STATE, &[scope.as_bytes(), kind.as_bytes()]),
        None => join(STATE, &[scope.as_bytes()]),
    };
    let mut to = from.clone();
    to.resize(1 + 3 * KEY, 0xFF);
    (from, to)
}

/// Returns both ends of a collection's or an index's keys.
pub fn whole(tag: u8) -> (Vec<u8>, Vec<u8>) {
    // No key is longer.
    (vec![tag], join(tag, &[&[0xFF; 3 * KEY]]))
}

/// Splits a message's or a gap's key into room and position.
pub fn parse_place(key: &[u8]) -> Option<(u32, Position)> {
    let (nr, at) = key.get(1..)?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*nr), parse_position(at)?))
}

/// Splits a key of [`TARGET`].
pub fn parse_target(key: &[u8]) -> Option<(u32, Key, Position)> {
    let (nr, rest) = key.get(1..)?.split_first_chunk::<4>()?;
    let (target, at) = rest.split_first_chunk::<KEY>()?;
    Some((u32::from_be_bytes(*nr), Key::from_bytes(*target), parse_position(at)?))
}

/// Splits a key of [`TXN`].
pub fn parse_txn(key: &[u8]) -> Option<(Key, u32, Position)> {
    let (txn, rest) = key.get(1..)?.split_first_chunk::<KEY>()?;
    let (nr, at) = rest.split_first_chunk::<4>()?;
    Some((Key::from_bytes(*txn), u32::from_be_bytes(*nr), parse_position(at)?))
}

/// Splits a key of [`EVENT`].
pub fn parse_event(key: &[u8]) -> Option<(u32, Key)> {
    let (nr, event) = key.get(1..)?.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*nr), Key::from_bytes(event.try_into().ok()?)))
}

/// Reads the sequence number of a key of [`PENDING`], or at the end of one of [`PENDING_ROOM`].
pub fn parse_seq(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(*key.get(1..)?.last_chunk::<8>()?))
}

/// Reads the key(16) at the end of a key.
pub fn parse_last(key: &[u8]) -> Option<Key> {
    Some(Key::from_bytes(*key.get(1..)?.last_chunk::<KEY>()?))
}

/// Splits a key of [`STATE`].
pub fn parse_state(key: &[u8]) -> Option<(Key, Key, Key)> {
    let (scope, rest) = key.get(1..)?.split_first_chunk::<KEY>()?;
    let (kind, rest) = rest.split_first_chunk::<KEY>()?;
    let own = rest.try_into().ok()?;
    Some((Key::from_bytes(*scope), Key::from_bytes(*kind), Key::from_bytes(own)))
}

/// Splits a key of [`CHUNK`] into blob and index.
pub fn parse_chunk(key: &[u8]) -> Option<(u64, u64)> {
    let (blob, index) = key.get(1..)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*blob), u64::from_be_bytes(index.try_into().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    fn a_key() -> impl Strategy<Value = Key> {
        // A small choice, so that equal parts are common.
        (0..4_u8).prop_map(|n| Key::from_bytes([[0, 1, 0x7F, 0xFF][usize::from(n)]; KEY]))
    }

    fn a_position() -> impl Strategy<Value = Position> {
        prop_oneof![
            Just(Position::MIN),
            Just(Position::MAX),
            (0..=Position::MAX.get()).prop_map(|n| Position::new(n).unwrap()),
            (0..600_u64).prop_map(|n| Position::FIRST.newer(n).unwrap()),
        ]
    }

    fn a_time() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -3..3_i64, Just(i64::MIN), Just(i64::MAX)]
    }

    fn small() -> impl Strategy<Value = u32> {
        prop_oneof![0..3_u32, 255..258_u32, any::<u32>()]
    }

    fn large() -> impl Strategy<Value = u64> {
        prop_oneof![0..3_u64, 255..258_u64, any::<u64>()]
    }

    proptest! {
        #[test]
        fn bytes_order_as_what_they_stand_for(
            (n, m) in (small(), small()), (p, q) in (a_position(), a_position()),
            (k, l) in (a_key(), a_key()), (s, t) in (a_time(), a_time()), (x, y) in (large(), large()),
            (a, b) in (a_key(), a_key()),
        ) {
            prop_assert_eq!(message(n, p).cmp(&message(m, q)), (n, p).cmp(&(m, q)));
            prop_assert_eq!(gap(n, p).cmp(&gap(m, q)), (n, p).cmp(&(m, q)));
            prop_assert_eq!(activity(s, &k).cmp(&activity(t, &l)), (Reverse(s), k).cmp(&(Reverse(t), l)));
            prop_assert_eq!(target(n, &k, p).cmp(&target(m, &l, q)), (n, k, p).cmp(&(m, l, q)));
            prop_assert_eq!(txn(&k, n, p).cmp(&txn(&l, m, q)), (k, n, p).cmp(&(l, m, q)));
            prop_assert_eq!(event(n, &k).cmp(&event(m, &l)), (n, k).cmp(&(m, l)));
            prop_assert_eq!(pending(x).cmp(&pending(y)), x.cmp(&y));
            prop_assert_eq!(pending_room(&k, x).cmp(&pending_room(&l, y)), (k, x).cmp(&(l, y)));
            prop_assert_eq!(chunk(x, y).cmp(&chunk(y, x)), (x, y).cmp(&(y, x)));
            prop_assert_eq!(state(&k, &l, &a).cmp(&state(&l, &k, &b)), (k, l, a).cmp(&(l, k, b)));
            prop_assert!(activity_from(s) <= activity(s, &k));
            prop_assert_eq!(activity_from(s) <= activity(t, &k), t <= s);
        }

        #[test]
        fn parts_come_back(
            n in small(), p in a_position(), k in a_key(), l in a_key(), x in large(), y in large(),
        ) {
            prop_assert_eq!(parse_place(&message(n, p)), Some((n, p)));
            prop_assert_eq!(parse_place(&gap(n, p)), Some((n, p)));
            prop_assert_eq!(parse_target(&target(n, &k, p)), Some((n, k, p)));
            prop_assert_eq!(parse_txn(&txn(&k, n, p)), Some((k, n, p)));
            prop_assert_eq!(parse_event(&event(n, &k)), Some((n, k)));
            prop_assert_eq!(parse_seq(&pending(x)), Some(x));
            prop_assert_eq!(parse_seq(&pending_room(&k, x)), Some(x));
            prop_assert_eq!(parse_last(&room(&k)), Some(k));
            prop_assert_eq!(parse_chunk(&chunk(x, y)), Some((x, y)));
            prop_assert_eq!(parse_state(&state(&k, &l, &k)), Some((k, l, k)));
        }

        #[test]
        fn ranges_hold_their_own(n in small(), p in a_position(), k in a_key(), l in a_key(), a in a_key()) {
            let within = |(from, to): (Vec<u8>, Vec<u8>), key: &Vec<u8>| from <= *key && *key <= to;
            prop_assert!(within(whole(MESSAGE), &message(n, p)));
            prop_assert!(!within(whole(GAP), &message(n, p)));
            prop_assert!(within(whole(STATE), &state(&k, &l, &a)));
            prop_assert_eq!(within(states(&k, None), &state(&l, &a, &a)), k == l);
            prop_assert_eq!(within(states(&k, Some(&a)), &state(&l, &k, &a)), k == l && a == k);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = (parse_place(&bytes), parse_target(&bytes), parse_txn(&bytes), parse_event(&bytes));
            let _ = (parse_seq(&bytes), parse_last(&bytes), parse_chunk(&bytes), parse_position(&bytes));
            let _ = parse_state(&bytes);
        }
    }
}
