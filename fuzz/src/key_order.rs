//! Any two logical keys of the sled backend: their bytes sort as the values they stand for, lie in the range of their
//! collection and no other, and give their parts back.

use std::cmp::Reverse;

use haos_store_api::backend::Key;
use haos_store_api::Position;
use haos_store_api::backend::kv::keys;

/// The bytes of [`Parts`].
const LEN: usize = 4 + 5 + 3 * Key::BYTES + 3 * 8;

/// The first byte chooses the parts that the second key shares with the first.
pub fn run(data: &[u8]) {
    let Some((shared, rest)) = data.split_first() else { return };
    let (Some(a), Some(b)) = (Parts::of(rest), rest.get(LEN..).and_then(Parts::of)) else { return };
    let b = b.sharing(&a, *shared);
    places(&a, &b);
    records(&a, &b);
    parts_come_back(&a);
    any_bytes_are_read_or_refused(rest);
}

/// All parts of keys.
struct Parts {
    room: u32,
    at: Position,
    keys: [Key; 3],
    ms: i64,
    seq: u64,
    index: u64,
}

impl Parts {
    fn of(bytes: &[u8]) -> Option<Self> {
        let (room, bytes) = bytes.split_first_chunk::<4>()?;
        let (at, bytes) = bytes.split_first_chunk::<5>()?;
        let (first, bytes) = bytes.split_first_chunk()?;
        let (second, bytes) = bytes.split_first_chunk()?;
        let (third, bytes) = bytes.split_first_chunk()?;
        let (ms, bytes) = bytes.split_first_chunk()?;
        let (seq, bytes) = bytes.split_first_chunk()?;
        let (index, _) = bytes.split_first_chunk()?;
        Some(Self {
            room: u32::from_be_bytes(*room),
            at: keys::parse_position(at)?,
            keys: [first, second, third].map(|key| Key::from_bytes(*key)),
            ms: i64::from_be_bytes(*ms),
            seq: u64::from_be_bytes(*seq),
            index: u64::from_be_bytes(*index),
        })
    }

    fn sharing(mut self, other: &Self, which: u8) -> Self {
        let shares = |bit: u8| which & 1 << bit != 0;
        for (n, key) in self.keys.iter_mut().enumerate() {
            if shares(n as u8) {
                *key = other.keys[n];
            }
        }
        Self {
            room: if shares(3) { other.room } else { self.room },
            at: if shares(4) { other.at } else { self.at },
            ms: if shares(5) { other.ms } else { self.ms },
            seq: if shares(6) { other.seq } else { self.seq },
            index: if shares(7) { other.index } else { self.index },
            ..self
        }
    }
}

/// Asserts that `key` orders as `logical` does, and that both keys lie in the range of `tag` alone.
fn same_order<L: Ord>(
    tag: u8,
    a: &Parts,
    b: &Parts,
    key: impl Fn(&Parts) -> Vec<u8>,
    logical: impl Fn(&Parts) -> L,
) {
    let (x, y) = (key(a), key(b));
    assert_eq!(x.cmp(&y), logical(a).cmp(&logical(b)), "tag {tag}: {x:02x?} and {y:02x?}");
    for other in keys::HEAD..=keys::STATE {
        let (from, to) = keys::whole(other);
        assert_eq!((from..=to).contains(&x), other == tag, "tag {tag} in the range of {other}: {x:02x?}");
    }
}

fn places(a: &Parts, b: &Parts) {
    same_order(keys::MESSAGE, a, b, |p| keys::message(p.room, p.at), |p| (p.room, p.at));
    same_order(keys::GAP, a, b, |p| keys::gap(p.room, p.at), |p| (p.room, p.at));
    same_order(keys::EVENT, a, b, |p| keys::event(p.room, &p.keys[0]), |p| (p.room, p.keys[0]));
    let target = |p: &Parts| keys::target(p.room, &p.keys[0], p.at);
    same_order(keys::TARGET, a, b, target, |p| (p.room, p.keys[0], p.at));
    let txn = |p: &Parts| keys::txn(&p.keys[0], p.room, p.at);
    same_order(keys::TXN, a, b, txn, |p| (p.keys[0], p.room, p.at));
}

fn records(a: &Parts, b: &Parts) {
    same_order(keys::HEAD, a, b, |_| keys::head(), |_| ());
    same_order(keys::ROOM, a, b, |p| keys::room(&p.keys[0]), |p| p.keys[0]);
    same_order(keys::NUMBER, a, b, |p| keys::number(p.room), |p| p.room);
    same_order(keys::ACTIVITY, a, b, |p| keys::activity(p.ms, &p.keys[0]), |p| (Reverse(p.ms), p.keys[0]));
    assert_eq!(keys::activity_from(a.ms) <= keys::activity(b.ms, &b.keys[0]), b.ms <= a.ms);
    same_order(keys::PENDING, a, b, |p| keys::pending(p.seq), |p| p.seq);
    same_order(keys::PENDING_TXN, a, b, |p| keys::pending_txn(&p.keys[0]), |p| p.keys[0]);
    let of_room = |p: &Parts| keys::pending_room(&p.keys[0], p.seq);
    same_order(keys::PENDING_ROOM, a, b, of_room, |p| (p.keys[0], p.seq));
    same_order(keys::MEDIA, a, b, |p| keys::media(&p.keys[0]), |p| p.keys[0]);
    same_order(keys::CHUNK, a, b, |p| keys::chunk(p.seq, p.index), |p| (p.seq, p.index));
    let state = |p: &Parts| keys::state(&p.keys[0], &p.keys[1], &p.keys[2]);
    same_order(keys::STATE, a, b, state, |p| p.keys);
    let within = |(from, to): (Vec<u8>, Vec<u8>)| (from..=to).contains(&state(b));
    assert_eq!(within(keys::states(&a.keys[0], None)), a.keys[0] == b.keys[0]);
    assert_eq!(within(keys::states(&a.keys[0], Some(&a.keys[1]))), a.keys[..2] == b.keys[..2]);
}

fn parts_come_back(p: &Parts) {
    let [key, ..] = p.keys;
    assert_eq!(keys::parse_position(&keys::position(p.at)), Some(p.at));
    assert_eq!(keys::parse_place(&keys::message(p.room, p.at)), Some((p.room, p.at)));
    assert_eq!(keys::parse_place(&keys::gap(p.room, p.at)), Some((p.room, p.at)));
    assert_eq!(keys::parse_target(&keys::target(p.room, &key, p.at)), Some((p.room, key, p.at)));
    assert_eq!(keys::parse_txn(&keys::txn(&key, p.room, p.at)), Some((key, p.room, p.at)));
    assert_eq!(keys::parse_event(&keys::event(p.room, &key)), Some((p.room, key)));
    assert_eq!(keys::parse_seq(&keys::pending(p.seq)), Some(p.seq));
    assert_eq!(keys::parse_seq(&keys::pending_room(&key, p.seq)), Some(p.seq));
    assert_eq!(keys::parse_last(&keys::room(&key)), Some(key));
    assert_eq!(keys::parse_chunk(&keys::chunk(p.seq, p.index)), Some((p.seq, p.index)));
}

fn any_bytes_are_read_or_refused(bytes: &[u8]) {
    for end in 0..bytes.len().min(64) {
        let key = &bytes[..end];
        let _ = (keys::parse_place(key), keys::parse_target(key), keys::parse_txn(key));
        let _ = (keys::parse_event(key), keys::parse_seq(key), keys::parse_last(key), keys::parse_chunk(key));
    }
}
