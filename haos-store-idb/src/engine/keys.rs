//! Keys of timelines: newest first, so that a page is one ascending range in every engine.
//!
//! Messages stand in *buckets* of [`WIDTH`] positions. A bucket's messages are one record, a segment, or several where
//! they are large; where a message stands tells its bucket, so that no index of segments has to be kept.

use haos_store_api::backend::{Codec, Key, SortedMap};
use haos_store_api::{Position, RoomId};

use super::kv::Span;

/// The positions of a bucket: enough for a page, and no more than a browser copies in a moment.
pub(crate) const WIDTH: u64 = 32;

const ROOM: usize = Key::BYTES;
const PLACE: usize = 5;

/// The keys of the rooms that a batch names, each computed once: its messages come in any order.
#[derive(Debug)]
pub(crate) struct RoomKeys<'a> {
    codec: &'a Codec,
    known: SortedMap<RoomId, Key>,
}

impl<'a> RoomKeys<'a> {
    pub(crate) fn new(codec: &'a Codec) -> Self {
        Self { codec, known: SortedMap::new() }
    }

    /// Returns the key of a room.
    pub(crate) fn of(&mut self, room: &RoomId) -> Key {
        if let Some(key) = self.known.get(room) {
            return *key;
        }
        let key = self.codec.room_key(room);
        self.known.insert(room.clone(), key);
        key
    }
}

/// The number of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Bucket(u64);

impl Bucket {
    pub(crate) const OLDEST: Self = Self(Position::MIN.get() / WIDTH);
    pub(crate) const NEWEST: Self = Self(Position::MAX.get() / WIDTH);

    /// Returns the bucket of a position.
    pub(crate) fn of(at: Position) -> Self {
        Self(at.get() / WIDTH)
    }

    /// Returns its oldest position.
    pub(crate) fn oldest(self) -> Position {
        Position::new(self.0 * WIDTH).unwrap_or(Position::MIN)
    }

    /// Returns its newest position.
    pub(crate) fn newest(self) -> Position {
        Position::new(self.0 * WIDTH + (WIDTH - 1)).unwrap_or(Position::MAX)
    }

    pub(crate) fn older(self) -> Option<Self> {
        (self > Self::OLDEST).then(|| Self(self.0 - 1))
    }

    pub(crate) fn newer(self) -> Option<Self> {
        (self < Self::NEWEST).then(|| Self(self.0 + 1))
    }

    /// Returns the bucket so many newer, or the newest.
    pub(crate) fn newer_by(self, buckets: u64) -> Self {
        Self(self.0.saturating_add(buckets)).min(Self::NEWEST)
    }
}

/// The distance of two buckets that are read together, with what is between them, and the most that are.
const NEAR: u64 = 3;
const MOST_TOGETHER: u64 = 64;

/// Joins ascending buckets to ranges, each of which is read at once: neighbours of a room, or nearly so.
pub(crate) fn near<'b>(buckets: impl Iterator<Item = &'b (Key, Bucket)>) -> Vec<(Key, Bucket, Bucket)> {
    let mut ranges: Vec<(Key, Bucket, Bucket)> = Vec::new();
    for (room, bucket) in buckets {
        match ranges.last_mut() {
            Some((of, oldest, newest))
                if of == room
                    && *bucket <= newest.newer_by(NEAR)
                    && *bucket < oldest.newer_by(MOST_TOGETHER) =>
            {
                *newest = *bucket;
            }
            _ => ranges.push((*room, *bucket, *bucket)),
        }
    }
    ranges
}

/// The key of a segment: it tells enough for a count, a sum and a deletion, so that they read no messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    pub(crate) bucket: Bucket,
    /// Which of the bucket's segments it is.
    pub(crate) part: u8,
    /// The number of messages.
    pub(crate) count: u8,
    /// Bytes of their payloads.
    pub(crate) bytes: u32,
}

impl Segment {
    pub(crate) fn encode(&self, room: &Key) -> Vec<u8> {
        let mut key = room_and(room, inverted(self.bucket.0));
        key.extend([self.part, self.count]);
        key.extend(self.bytes.to_be_bytes());
        key
    }

    /// Decodes a key, or the beginning of a value.
    pub(crate) fn decode(key: &[u8]) -> Option<(Key, Self)> {
        let (room, rest) = key.split_first_chunk::<ROOM>()?;
        let (place, rest) = rest.split_first_chunk::<PLACE>()?;
        let ([part, count], rest) = rest.split_first_chunk::<2>()?;
        let bytes = u32::from_be_bytes(*rest.first_chunk()?);
        let bucket = Bucket(upright(place)).min(Bucket::NEWEST);
        Some((Key::from_bytes(*room), Self { bucket, part: *part, count: *count, bytes }))
    }
}

/// Spans the segments of the buckets between two, both included.
pub(crate) fn segments(room: &Key, oldest: Bucket, newest: Bucket) -> Span {
    let mut high = room_and(room, inverted(oldest.0));
    high.extend([0xff; 8]);
    Span::new(room_and(room, inverted(newest.0)), high)
}

fn inverted(place: u64) -> [u8; PLACE] {
    let [_, _, _, place @ ..] = (Position::MAX.get() - place).to_be_bytes();
    place
}

fn upright(place: &[u8; PLACE]) -> u64 {
    let mut number = [0; 8];
    number[3..].copy_from_slice(place);
    Position::MAX.get().saturating_sub(u64::from_be_bytes(number))
}

fn room_and(room: &Key, rest: [u8; PLACE]) -> Vec<u8> {
    [room.as_bytes().as_slice(), &rest].concat()
}

pub(crate) fn gap(room: &Key, at: Position) -> Vec<u8> {
    room_and(room, inverted(at.get()))
}

/// Spans the gaps of a room.
pub(crate) fn gaps(room: &Key) -> Span {
    Span::prefix(room.as_bytes())
}

/// Reads the position of a gap's key.
pub(crate) fn gap_position(key: &[u8]) -> Option<Position> {
    Position::new(upright(key.get(ROOM..)?.try_into().ok()?)).ok()
}

pub(crate) fn chunk(blob: u64, index: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&blob.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

pub(crate) fn txn(txn: &Key, room: &Key, at: Position) -> Vec<u8> {
    let place = haos_store_api::backend::kv::keys::position(at);
    [txn.as_bytes().as_slice(), room.as_bytes(), &place].concat()
}

/// Reads the room and the position of a transaction's key.
pub(crate) fn parse_txn(key: &[u8]) -> Option<(Key, Position)> {
    let (room, place) = key.get(Key::BYTES..)?.split_first_chunk::<ROOM>()?;
    Some((Key::from_bytes(*room), haos_store_api::backend::kv::keys::parse_position(place.get(..PLACE)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_read_together() {
        let rooms = [1, 2].map(|byte| Key::from_bytes([byte; 16]));
        let bucket = |nth| Bucket::OLDEST.newer_by(nth);
        let keys: Vec<_> =
            [(0, 1), (0, 4), (0, 8), (1, 8), (1, 9)].map(|(r, n)| (rooms[r], bucket(n))).into();
        let range = |r: usize, from, to| (rooms[r], bucket(from), bucket(to));
        assert_eq!(near(keys.iter()), [range(0, 1, 4), range(0, 8, 8), range(1, 8, 9)]);
        let keys: Vec<_> = (0..130).map(|n| (rooms[0], bucket(n))).collect();
        assert_eq!(near(keys.iter()), [range(0, 0, 63), range(0, 64, 127), range(0, 128, 129)]);
    }

    #[test]
    fn newest_first_and_back() {
        let room = Key::from_bytes([7; 16]);
        let at = |n| Position::new(n).unwrap();
        assert!(gap(&room, at(9)) < gap(&room, at(8)));
        for place in [at(258), Position::MAX, Position::MIN] {
            assert_eq!(gap_position(&gap(&room, place)), Some(place));
            let key = txn(&Key::from_bytes([3; 16]), &room, place);
            assert_eq!(parse_txn(&key), Some((room, place)));
            let bucket = Bucket::of(place);
            assert!(bucket.oldest() <= place && place <= bucket.newest());
            assert_eq!((Bucket::of(bucket.oldest()), Bucket::of(bucket.newest())), (bucket, bucket));
            let key = Segment { bucket, part: 1, count: 32, bytes: 77_000 };
            let encoded = key.encode(&room);
            assert_eq!(encoded.len(), super::super::kv::Table::Segments.key_bytes());
            assert_eq!(Segment::decode(&encoded), Some((room, key)));
            assert!(segments(&room, bucket, bucket).has(&encoded));
            assert!(segments(&room, Bucket::OLDEST, Bucket::NEWEST).has(&encoded));
            assert!(bucket.newer().is_none_or(|newer| !segments(&room, newer, Bucket::NEWEST).has(&encoded)));
            assert!(bucket.older().is_none_or(|older| !segments(&room, Bucket::OLDEST, older).has(&encoded)));
        }
    }
}
