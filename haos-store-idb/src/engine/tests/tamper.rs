//! Records given to each other's parents, in the maps.

use std::ops::Range;

use haos_store_api::Collection;
use haos_store_api::conformance::Move;

use super::super::kv::Table;
use super::map::Maps;

/// The swapped parts of two records.
enum Swap {
    Values(Table),
    /// Parts of their keys; in the timeline, of records of one kind.
    Keys(Table, Option<u8>, Range<usize>),
    /// The ids in the index.
    Ids,
}

use Collection::{Gaps, Media, Messages, Pending, Rooms, State};
use Swap::{Ids, Keys, Values};

const SWAPS: [(&str, Collection, Swap); 11] = [
    ("rooms", Rooms, Values(Table::Rooms)),
    ("rooms of segments", Messages, Keys(Table::Timeline, Some(2), 0..16)),
    ("ids of segments", Messages, Ids),
    ("rooms of gaps", Gaps, Keys(Table::Timeline, Some(0), 0..16)),
    ("outbox rows", Pending, Values(Table::Outbox)),
    ("transactions of the outbox", Pending, Values(Table::OutboxIds)),
    ("media", Media, Values(Table::Media)),
    ("chunks", Media, Values(Table::Chunks)),
    ("state", State, Values(Table::State)),
    ("scopes", State, Keys(Table::State, None, 0..16)),
    ("kinds", State, Keys(Table::State, None, 16..32)),
];

pub(super) fn moves() -> Vec<Move> {
    // Only a search for an entry of the kind misses it: values are read without the keys that they stand under.
    SWAPS.iter().map(|(name, of, _)| Move { name, of: *of, on_read: *name != "kinds" }).collect()
}

pub(super) fn make(maps: &mut Maps, name: &str) {
    let (_, _, swap) = SWAPS.iter().find(|(known, ..)| *known == name).unwrap();
    let (table, kind) = match swap {
        Values(table) => (*table, None),
        Keys(table, kind, _) => (*table, *kind),
        Ids => (Table::Timeline, Some(2)),
    };
    let mut records = maps.all();
    let mut of = records
        .iter_mut()
        .filter(|(name, key, ..)| *name == table.name() && kind.is_none_or(|kind| key[16] == kind));
    let (Some(one), Some(other), None) = (of.next(), of.next(), of.next()) else { panic!("two of {name}") };
    match swap {
        Values(_) => std::mem::swap(&mut one.2, &mut other.2),
        Keys(_, _, part) => {
            assert_ne!(one.1[part.clone()], other.1[part.clone()]);
            one.1[part.clone()].swap_with_slice(&mut other.1[part.clone()]);
        }
        Ids => std::mem::swap(&mut one.3, &mut other.3),
    }
    *maps = Maps::of(records);
}
