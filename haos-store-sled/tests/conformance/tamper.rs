//! Rows given to each other's parents, in the tree.

use std::ops::Range;
use std::path::Path;

use haos_store_api::Collection;
use haos_store_api::conformance::Move;
use sled::IVec;

const fn noticed(name: &'static str, of: Collection) -> Move {
    Move { name, of, on_read: true }
}

/// An index that no longer leads to a row: only a look from the row notices.
const fn hidden(name: &'static str, of: Collection) -> Move {
    Move { name, of, on_read: false }
}

use Collection::{Gaps, Media, Messages, Pending, Rooms, State};

/// By the place in [`SWAPS`].
pub(crate) const MOVES: [Move; 18] = [
    noticed("rooms' values", Rooms),
    noticed("rooms' numbers", Rooms),
    noticed("numbers of rooms", Messages),
    noticed("activities", Rooms),
    noticed("messages' values", Messages),
    noticed("events' positions", Messages),
    hidden("relations' targets", Messages),
    noticed("transactions of messages", Messages),
    noticed("gaps' values", Gaps),
    noticed("outbox rows' values", Pending),
    noticed("outbox rows' rooms", Pending),
    noticed("transactions of the outbox", Pending),
    noticed("rooms of the outbox", Pending),
    noticed("media's values", Media),
    noticed("chunks' values", Media),
    noticed("scopes", State),
    noticed("kinds", State),
    noticed("keys of state", State),
];

/// Two records, by the first byte of their keys, and their swapped part; see `docs/format.md`.
enum Swap {
    Keys(u8, Range<usize>),
    Values(u8, Range<usize>),
}

use Swap::{Keys, Values};

const ALL: Range<usize> = 0..usize::MAX;

const SWAPS: [Swap; MOVES.len()] = [
    Values(1, ALL),
    Values(1, 0..4),
    Values(2, ALL),
    Keys(3, 1..9),
    Values(4, ALL),
    Values(5, ALL),
    Keys(6, 5..21),
    Keys(7, 1..17),
    Values(8, ALL),
    Values(9, ALL),
    Values(9, 16..32),
    Values(10, ALL),
    Keys(11, 1..17),
    Values(12, ALL),
    Values(13, ALL),
    Keys(14, 1..17),
    Keys(14, 17..33),
    Keys(14, 33..49),
];

pub(crate) fn make(folder: &Path, name: &str) {
    let db = sled::open(folder.join("sled")).unwrap();
    let tree = db.open_tree("haos").unwrap();
    let place = MOVES.iter().position(|a_move| a_move.name == name).unwrap();
    let (Keys(tag, _) | Values(tag, _)) = &SWAPS[place];
    let found: Vec<(IVec, IVec)> = tree.scan_prefix([*tag]).map(Result::unwrap).collect();
    let [(key, value), (other_key, other_value)] = found.as_slice() else { panic!("two of {name}") };
    let mut now = [key, other_key, value, other_value].map(|part| part.to_vec());
    let [key, other_key, value, other_value] = &mut now;
    match &SWAPS[place] {
        Keys(_, part) => swap(key, other_key, part),
        Values(_, part) => swap(value, other_value, part),
    }
    let [key, other_key, value, other_value] = now;
    for (old, _) in found {
        tree.remove(old).unwrap();
    }
    tree.insert(key, value).unwrap();
    tree.insert(other_key, other_value).unwrap();
    db.flush().unwrap();
}

fn swap(one: &mut Vec<u8>, other: &mut Vec<u8>, part: &Range<usize>) {
    assert_ne!(one, other);
    if *part == ALL {
        std::mem::swap(one, other);
    } else {
        one[part.clone()].swap_with_slice(&mut other[part.clone()]);
    }
}
