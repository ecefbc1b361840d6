//! The changes of a commit: what a log record holds, absolute values that may be laid over others in order.

use std::ops::{RangeBounds, RangeInclusive};
use std::rc::Rc;

use haos_store_api::Position;
use haos_store_api::backend::{Key, SortedMap};

use super::head::Head;
use super::kv::Table;
use super::row::Row;

/// Bytes of a record.
pub(crate) type Value = Rc<[u8]>;

/// Records by table and key; `None`: known to be absent.
pub(crate) type Records = SortedMap<(Table, Vec<u8>), Option<Value>>;

/// A part of a room's timeline, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) room: Key,
    pub(crate) oldest: Position,
    pub(crate) newest: Position,
}

impl Run {
    /// Tells whether a position is in it.
    pub(crate) fn has(&self, room: &Key, at: Position) -> bool {
        self.meets(&Self { room: *room, oldest: at, newest: at })
    }

    /// Tells whether they have a position in common.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.room == other.room && self.oldest <= other.newest && other.oldest <= self.newest
    }

    /// Returns the places of its positions.
    pub(crate) fn places(&self) -> RangeInclusive<(Key, Position)> {
        (self.room, self.oldest)..=(self.room, self.newest)
    }
}

/// Removes a range of a map.
pub(crate) fn take_out<K: Ord + Clone, V>(map: &mut SortedMap<K, V>, range: impl RangeBounds<K>) {
    let inside: Vec<K> = map.range(range).map(|(key, _)| key.clone()).collect();
    for key in inside {
        map.remove(&key);
    }
}

/// Puts all items of a map over those of another.
fn over<K: Ord, V>(map: &mut SortedMap<K, V>, later: SortedMap<K, V>) {
    if map.is_empty() {
        *map = later;
    } else {
        map.extend(later);
    }
}

/// Returns about how many bytes a record takes.
pub(crate) fn record_bytes(key: &[u8], value: Option<&Value>) -> usize {
    key.len() + value.map_or(0, |value| value.len())
}

/// Returns about how many bytes a message, or its removal, takes.
pub(crate) fn row_bytes(row: Option<&Row>) -> usize {
    96 + row.map_or(0, |row| row.payload.len())
}

/// The changes of one commit, or of several.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes {
    /// The counters after them.
    pub(crate) head: Head,
    pub(crate) records: Records,
    /// Parts of timelines that lose the messages they had before.
    pub(crate) dropped: Vec<Run>,
    /// By room and position; `None`: the message is removed.
    pub(crate) rows: SortedMap<(Key, Position), Option<Row>>,
    /// Where messages may stand: hints.
    pub(crate) events: SortedMap<Key, Position>,
}

impl Changes {
    /// Lays later changes over these, without their hints: a fold needs none.
    pub(crate) fn lay(&mut self, later: Self) {
        self.head = later.head;
        over(&mut self.records, later.records);
        for run in later.dropped {
            self.drop_run(run);
        }
        over(&mut self.rows, later.rows);
    }

    /// Returns a copy without the hints, as a fold takes it.
    pub(crate) fn for_fold(&self) -> Self {
        let Self { head, records, dropped, rows, .. } = self;
        Self {
            head: *head,
            records: records.clone(),
            dropped: dropped.clone(),
            rows: rows.clone(),
            events: SortedMap::new(),
        }
    }

    /// Removes all messages of a part.
    pub(crate) fn drop_run(&mut self, run: Run) {
        take_out(&mut self.rows, run.places());
        self.dropped.push(run);
    }

    /// Tells whether the position lost its message to a dropped part.
    pub(crate) fn is_dropped(&self, room: &Key, at: Position) -> bool {
        self.dropped.iter().any(|run| run.has(room, at))
    }

    /// Returns about how many bytes a record of them has.
    pub(crate) fn bytes(&self) -> usize {
        let records = self.records.iter().filter(|((table, _), _)| *table != Table::Chunks);
        let records = records.map(|((_, key), value)| record_bytes(key, value.as_ref()));
        records.sum::<usize>() + self.rows.values().map(|row| row_bytes(row.as_ref())).sum::<usize>()
    }

    pub(crate) fn put_row(&mut self, room: &Key, row: Row) {
        self.events.insert(row.event, row.at);
        self.rows.insert((*room, row.at), Some(row));
    }
}
