//! Keys of the timeline: newest first, so that a page is one ascending range in every engine.

use haos_store_api::Position;
use haos_store_api::backend::Key;

use super::kv::Span;

/// The kinds of records in the timeline.
const GAP: u8 = 0;
const OVERLAY: u8 = 1;
const SEGMENT: u8 = 2;

/// Keys of rooms come first, so that a room is one range.
const ROOM: usize = Key::BYTES;
const PLACE: usize = 5;

/// A segment's key, which suffices for a count, a search and a deletion, so that they read no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentKey {
    pub(crate) room: Key,
    pub(crate) newest: Position,
    pub(crate) oldest: Position,
    /// The number of messages.
    pub(crate) count: u8,
    /// Bytes of their payloads.
    pub(crate) bytes: u32,
}

impl SegmentKey {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut key = place(&self.room, SEGMENT, self.newest);
        key.extend(inverted(self.oldest));
        key.push(self.count);
        key.extend(self.bytes.to_be_bytes());
        key
    }

    /// Decodes a key; `None` for that of another record.
    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let (room, rest) = key.split_first_chunk::<ROOM>()?;
        let [SEGMENT, rest @ ..] = rest else { return None };
        let (newest, rest) = rest.split_first_chunk::<PLACE>()?;
        let (oldest, rest) = rest.split_first_chunk::<PLACE>()?;
        let ([count], bytes) = rest.split_first_chunk::<1>()?;
        Some(Self {
            room: Key::from_bytes(*room),
            newest: upright(newest),
            oldest: upright(oldest),
            count: *count,
            bytes: u32::from_be_bytes(bytes.try_into().ok()?),
        })
    }

    /// Tells whether it has a message at every position between its ends.
    pub(crate) fn is_dense(&self) -> bool {
        self.newest.get() - self.oldest.get() + 1 == u64::from(self.count)
    }

    pub(crate) fn contains(&self, at: Position) -> bool {
        self.oldest <= at && at <= self.newest
    }
}

fn inverted(at: Position) -> [u8; PLACE] {
    let [_, _, _, place @ ..] = (Position::MAX.get() - at.get()).to_be_bytes();
    place
}

fn upright(place: &[u8; PLACE]) -> Position {
    let mut number = [0; 8];
    number[3..].copy_from_slice(place);
    let value = Position::MAX.get() - u64::from_be_bytes(number);
    Position::new(value).unwrap_or(Position::MIN)
}

fn place(room: &Key, kind: u8, at: Position) -> Vec<u8> {
    [room.as_bytes().as_slice(), &[kind], &inverted(at)].concat()
}

fn places(room: &Key, kind: u8, oldest: Position, newest: Position) -> Span {
    Span::new(place(room, kind, newest), place(room, kind, oldest))
}

pub(crate) fn gap(room: &Key, at: Position) -> Vec<u8> {
    place(room, GAP, at)
}

pub(crate) fn gaps(room: &Key, oldest: Position, newest: Position) -> Span {
    places(room, GAP, oldest, newest)
}

pub(crate) fn overlay(room: &Key, at: Position) -> Vec<u8> {
    place(room, OVERLAY, at)
}

pub(crate) fn overlays(room: &Key, oldest: Position, newest: Position) -> Span {
    places(room, OVERLAY, oldest, newest)
}

/// Spans every overlay and segment of a room.
pub(crate) fn timeline(room: &Key) -> Span {
    let mut span = places(room, OVERLAY, Position::MIN, Position::MAX);
    span.high = segments(room, Position::MIN, Position::MAX).high;
    span
}

/// Spans the segments whose newest message stands between two positions.
pub(crate) fn segments(room: &Key, oldest: Position, newest: Position) -> Span {
    let mut span = places(room, SEGMENT, oldest, newest);
    span.high.extend([0xff; 2 * PLACE]);
    span
}

/// Reads the position of a gap's or an overlay's key.
pub(crate) fn position(key: &[u8]) -> Option<Position> {
    let (kind, place) = key.get(ROOM..)?.split_first()?;
    (matches!(*kind, GAP | OVERLAY)).then_some(upright(place.try_into().ok()?))
}

/// Tells whether it is the key of an overlay.
pub(crate) fn is_overlay(key: &[u8]) -> bool {
    key.get(ROOM) == Some(&OVERLAY)
}

pub(crate) fn chunk(blob: u64, index: u64) -> [u8; 16] {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&blob.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Entries of the only index: the messages of a record, their relations and their senders.
pub(crate) fn event_entry(event: &Key) -> String {
    entry('e', event)
}

pub(crate) fn target_entry(target: &Key) -> String {
    entry('r', target)
}

pub(crate) fn txn_entry(txn: &Key) -> String {
    entry('t', txn)
}

/// Makes text, since a browser reads a record with many binary ids half as fast.
fn entry(tag: char, key: &Key) -> String {
    const DIGITS: &[u8; 64] = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    let number = u128::from_be_bytes(*key.as_bytes());
    let digit = |nth: u32| char::from(DIGITS[(number >> (126 - 6 * nth)) as usize & 63]);
    std::iter::once(tag).chain((0..22).map(digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_an_entry_of_its_own() {
        let all: Vec<String> =
            (0..128).map(|bit| event_entry(&Key::from_bytes((1_u128 << bit).to_be_bytes()))).collect();
        assert!(all.windows(2).all(|two| two[0] < two[1]), "{all:?}");
        assert_eq!(all[0], "e---------------------0");
    }

    #[test]
    fn newest_first_and_back() {
        let room = Key::from_bytes([7; 16]);
        let at = |n| Position::new(n).unwrap();
        assert!(gap(&room, at(9)) < gap(&room, at(8)));
        assert_eq!(position(&overlay(&room, at(258))), Some(at(258)));
        assert_eq!(position(&gap(&room, Position::MAX)), Some(Position::MAX));
        let key = SegmentKey { room, newest: at(40), oldest: at(9), count: 32, bytes: 77_000 };
        assert_eq!(SegmentKey::decode(&key.encode()), Some(key));
        assert!(key.is_dense() && key.contains(at(9)) && !key.contains(at(41)));
        assert_eq!(position(&key.encode()), None);
        assert!(segments(&room, at(40), at(40)).has(&key.encode()));
        assert!(!segments(&room, at(41), at(99)).has(&key.encode()));
        assert!(timeline(&room).has(&key.encode()) && timeline(&room).has(&overlay(&room, at(1))));
        assert!(!timeline(&room).has(&gap(&room, at(1))));
    }
}
