//! The known parts of the tables.

use std::cell::Cell;

use haos_store_api::backend::law::sort_by;
use haos_store_api::backend::{Key, SortedMap};
use haos_store_api::{Direction, Position};

use super::super::changes::{Records, Run, Value, record_bytes, take_out};
use super::super::ids::{self, Ids};
use super::super::keys::{Bucket, Segment};
use super::super::kv::{Span, Table};
use super::super::row::Row;

/// The known parts of the tables.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) records: Records,
    /// Ranges of which all records are known, none overlapping: by table and lower bound, the upper bound.
    spans: SortedMap<(Table, Vec<u8>), Vec<u8>>,
    timelines: SortedMap<Key, Timeline>,
    /// Counts the uses of buckets and ids, so that those used last stay.
    clock: Cell<u64>,
}

/// The known part of a room's messages.
#[derive(Debug, Default)]
struct Timeline {
    /// Ranges of buckets, both ends included, that are known, present or not.
    loaded: Vec<(Bucket, Bucket)>,
    buckets: SortedMap<Bucket, Shelf>,
    ids: Option<(Ids, Cell<u64>)>,
    /// What all of the room's buckets hold.
    directory: Option<SortedMap<Bucket, Holds>>,
}

/// The messages of a bucket.
#[derive(Debug, Default)]
struct Shelf {
    rows: Vec<Row>,
    used: Cell<u64>,
}

/// What the segments of a bucket hold, by their keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holds {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
}

/// The bucket that follows in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next<'a> {
    Found(Bucket, &'a [Row]),
    /// There is none.
    Nothing,
    /// This one, and perhaps more of them, would have to be read.
    Unknown(Bucket),
}

impl Tables {
    /// Returns a record, if it is known; the inner `None` says that it is absent.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Option<Option<Value>> {
        let place = (table, key.to_vec());
        match self.records.get(&place) {
            Some(value) => Some(value.clone()),
            None => self.is_known(place, key).then_some(None),
        }
    }

    /// Tells whether a whole range is known.
    pub(crate) fn covers(&self, table: Table, span: &Span) -> bool {
        self.is_known((table, span.low.clone()), &span.high)
    }

    /// Returns how far all records from a place on are known.
    pub(crate) fn known_to(&self, table: Table, low: &[u8]) -> Option<&[u8]> {
        let known = self.spans.range(..=(table, low.to_vec())).next_back();
        known.filter(|((of, _), end)| *of == table && low <= end.as_slice()).map(|(_, end)| end.as_slice())
    }

    /// Tells whether one known range goes from a place to the key `high` and further.
    fn is_known(&self, low: (Table, Vec<u8>), high: &[u8]) -> bool {
        self.known_to(low.0, &low.1).is_some_and(|end| high <= end)
    }

    pub(crate) fn note(&mut self, table: Table, key: Vec<u8>, value: Option<Value>) {
        self.records.insert((table, key), value);
    }

    /// Notes all records of a range.
    pub(crate) fn note_range(&mut self, table: Table, span: Span, found: Vec<(Vec<u8>, Value)>) {
        take_out(&mut self.records, (table, span.low.clone())..=(table, span.high.clone()));
        self.records.extend(found.into_iter().map(|(key, value)| ((table, key), Some(value))));
        // Ranges that overlap become one, so that one look tells whether a key is in any.
        let Span { mut low, mut high } = span;
        let before = self.spans.range(..=(table, low.clone())).next_back().map(|(place, _)| place.clone());
        let inside =
            self.spans.range((table, low.clone())..=(table, high.clone())).map(|(place, _)| place.clone());
        let beside: Vec<_> = before.into_iter().chain(inside).collect();
        for place in beside {
            if let Some(end) = self.spans.get(&place)
                && place.0 == table
                && low <= *end
            {
                (low, high) = (low.min(place.1.clone()), high.max(end.clone()));
                self.spans.remove(&place);
            }
        }
        self.spans.insert((table, low), high);
    }

    /// Forgets what is known of a table.
    pub(crate) fn forget(&mut self, table: Table) {
        // No key is as long.
        let all = || (table, Vec::new())..=(table, vec![0xff; 128]);
        take_out(&mut self.records, all());
        take_out(&mut self.spans, all());
    }

    /// Returns the messages of a bucket, if they are known.
    pub(crate) fn bucket(&self, room: &Key, bucket: Bucket) -> Option<&[Row]> {
        let timeline = self.timelines.get(room)?;
        if let Some(shelf) = timeline.buckets.get(&bucket) {
            return Some(self.used(shelf));
        }
        timeline.knows(bucket).then_some(&[])
    }

    fn used<'a>(&self, shelf: &'a Shelf) -> &'a [Row] {
        self.tick(&shelf.used);
        &shelf.rows
    }

    fn tick(&self, used: &Cell<u64>) {
        self.clock.set(self.clock.get() + 1);
        used.set(self.clock.get());
    }

    /// Tells whether a range of buckets is known.
    pub(crate) fn spans(&self, room: &Key, oldest: Bucket, newest: Bucket) -> bool {
        let timeline = self.timelines.get(room);
        timeline.is_some_and(|timeline| {
            timeline.loaded.iter().any(|(from, to)| *from <= oldest && newest <= *to)
                || timeline.directory.as_ref().is_some_and(|all| all.range(oldest..=newest).next().is_none())
        })
    }

    /// Counts the buckets of messages that are known without a break from the one after `bucket` on, up to `most`.
    pub(crate) fn newer_beside(&self, room: &Key, bucket: Bucket, most: usize) -> usize {
        let Some((timeline, from)) = self.timelines.get(room).zip(bucket.newer()) else { return 0 };
        let known = timeline.loaded.iter().find(|(oldest, newest)| *oldest <= from && from <= *newest);
        known.map_or(0, |(_, newest)| timeline.buckets.range(from..=*newest).take(most).count())
    }

    /// Finds the nearest bucket from `from` on: the newest that is no newer, or the oldest that is no older.
    pub(crate) fn next(&self, room: &Key, direction: Direction, from: Bucket) -> Next<'_> {
        let Some(timeline) = self.timelines.get(room) else { return Next::Unknown(from) };
        let found = nearest(&timeline.buckets, direction, from);
        if let Some(all) = &timeline.directory {
            return match (nearest(all, direction, from), found) {
                (None, _) => Next::Nothing,
                (Some((bucket, _)), Some((known, shelf))) if bucket == known => {
                    Next::Found(*bucket, self.used(shelf))
                }
                // Known, and nothing in it can be read.
                (Some((bucket, _)), _) if timeline.has_loaded(*bucket) => Next::Found(*bucket, &[]),
                (Some((bucket, _)), _) => Next::Unknown(*bucket),
            };
        }
        let range = timeline.loaded.iter().find(|(oldest, newest)| *oldest <= from && from <= *newest);
        let Some((oldest, newest)) = range else { return Next::Unknown(from) };
        match found {
            Some((bucket, shelf)) if oldest <= bucket && bucket <= newest => {
                Next::Found(*bucket, self.used(shelf))
            }
            _ => match direction {
                Direction::Older => oldest.older(),
                Direction::Newer => newest.newer(),
            }
            .map_or(Next::Nothing, Next::Unknown),
        }
    }

    /// Takes up a range of buckets with all of their messages, which ascend.
    pub(crate) fn note_buckets(&mut self, room: &Key, oldest: Bucket, newest: Bucket, rows: Vec<Row>) {
        let now = Cell::new(0);
        self.tick(&now);
        let timeline = self.timelines.or_default(*room);
        take_out(&mut timeline.buckets, oldest..=newest);
        for row in rows {
            let shelf = timeline.buckets.or_default(Bucket::of(row.at));
            shelf.used.set(now.get());
            shelf.rows.push(row);
        }
        timeline.note_loaded(oldest, newest);
    }

    /// Returns the ids of a room, if they are known.
    pub(crate) fn ids(&self, room: &Key) -> Option<&Ids> {
        let (ids, used) = self.timelines.get(room)?.ids.as_ref()?;
        self.tick(used);
        Some(ids)
    }

    pub(crate) fn note_ids(&mut self, room: &Key, ids: Ids) {
        let used = Cell::new(0);
        self.tick(&used);
        self.timelines.or_default(*room).ids = Some((ids, used));
    }

    /// Returns what all buckets of a room hold, if it is known.
    pub(crate) fn directory(&self, room: &Key) -> Option<&SortedMap<Bucket, Holds>> {
        self.timelines.get(room)?.directory.as_ref()
    }

    pub(crate) fn note_directory(&mut self, room: &Key, keys: impl Iterator<Item = Segment>) {
        let mut all: SortedMap<Bucket, Holds> = SortedMap::new();
        for key in keys {
            let holds = all.or_default(key.bucket);
            holds.count += u64::from(key.count);
            holds.bytes += u64::from(key.bytes);
        }
        self.timelines.or_default(*room).directory = Some(all);
    }

    /// Writes messages, or their removal, where their buckets are known. They come by room.
    pub(super) fn set_rows(&mut self, rows: impl Iterator<Item = ((Key, Position), Option<Row>)>) {
        let mut rows = rows.peekable();
        while let Some(((room, _), _)) = rows.peek() {
            let room = *room;
            let mut timeline = self.timelines.get_mut(&room);
            if let Some(timeline) = &mut timeline {
                timeline.directory = None;
            }
            let mut entries = Vec::new();
            while let Some(((_, at), row)) = rows.next_if(|((of, _), _)| *of == room) {
                if let Some(timeline) = &mut timeline {
                    entries.extend(row.iter().flat_map(|row| ids::entries(row, None)));
                    timeline.set_row(at, row);
                }
            }
            if let Some((ids, _)) = timeline.and_then(|timeline| timeline.ids.as_mut()) {
                ids.add(entries);
            }
        }
    }

    /// Removes the messages of a part.
    pub(super) fn drop_run(&mut self, run: &Run) {
        let Some(timeline) = self.timelines.get_mut(&run.room) else { return };
        timeline.directory = None;
        timeline.buckets.retain(|_, shelf| {
            shelf.rows.retain(|row| !run.has(&run.room, row.at));
            !shelf.rows.is_empty()
        });
    }

    /// Returns about how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        let records = self.records.iter().map(|((_, key), value)| 64 + record_bytes(key, value.as_ref()));
        records.sum::<usize>() + self.timelines.values().map(Timeline::bytes).sum::<usize>()
    }

    /// Forgets what was not used for longest, until it takes at most `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let mut total = self.bytes();
        if total <= bytes {
            return;
        }
        let mut all: Vec<(u64, usize, Key, Option<Bucket>)> = Vec::new();
        // Soon read again, and seldom needed.
        self.timelines.values_mut().for_each(|timeline| timeline.directory = None);
        for (room, timeline) in self.timelines.iter() {
            all.extend(
                timeline
                    .buckets
                    .iter()
                    .map(|(at, shelf)| (shelf.used.get(), shelf.bytes(), *room, Some(*at))),
            );
            all.extend(timeline.ids.iter().map(|(ids, used)| (used.get(), ids.bytes(), *room, None)));
        }
        sort_by(&mut all, |a, b| a.0.cmp(&b.0));
        for (_, size, room, bucket) in all {
            if total <= bytes {
                break;
            }
            if let Some(timeline) = self.timelines.get_mut(&room) {
                match bucket {
                    Some(bucket) => timeline.forget(bucket),
                    None => timeline.ids = None,
                }
            }
            total = total.saturating_sub(size);
        }
        self.timelines.retain(|_, timeline| !timeline.buckets.is_empty() || timeline.ids.is_some());
        if total > bytes {
            self.records.clear();
            self.spans.clear();
        }
    }
}

fn nearest<V>(map: &SortedMap<Bucket, V>, direction: Direction, from: Bucket) -> Option<(&Bucket, &V)> {
    match direction {
        Direction::Older => map.range(..=from).next_back(),
        Direction::Newer => map.range(from..).next(),
    }
}

impl Timeline {
    fn set_row(&mut self, at: Position, row: Option<Row>) {
        let bucket = Bucket::of(at);
        if !self.knows(bucket) {
            return;
        }
        let shelf = self.buckets.or_default(bucket);
        match (shelf.rows.binary_search_by_key(&at, |row| row.at), row) {
            (Ok(place), Some(row)) => shelf.rows[place] = row,
            (Ok(place), None) => drop(shelf.rows.remove(place)),
            (Err(place), Some(row)) => shelf.rows.insert(place, row),
            (Err(_), None) => {}
        }
        if shelf.rows.is_empty() {
            self.buckets.remove(&bucket);
        }
    }

    fn has_loaded(&self, bucket: Bucket) -> bool {
        self.loaded.iter().any(|(oldest, newest)| *oldest <= bucket && bucket <= *newest)
    }

    fn knows(&self, bucket: Bucket) -> bool {
        self.has_loaded(bucket) || self.directory.as_ref().is_some_and(|all| !all.contains_key(&bucket))
    }

    /// Notes a range; ranges that meet become one, so that a page across both is seen as known.
    fn note_loaded(&mut self, mut oldest: Bucket, mut newest: Bucket) {
        let touches = |(from, to): &(Bucket, Bucket), oldest: Bucket, newest: Bucket| {
            newest.newer().is_none_or(|next| *from <= next) && to.newer().is_none_or(|next| oldest <= next)
        };
        while let Some(nth) = self.loaded.iter().position(|range| touches(range, oldest, newest)) {
            let (from, to) = self.loaded.swap_remove(nth);
            (oldest, newest) = (oldest.min(from), newest.max(to));
        }
        self.loaded.push((oldest, newest));
    }

    fn forget(&mut self, bucket: Bucket) {
        self.buckets.remove(&bucket);
        let Some(nth) = self.loaded.iter().position(|(from, to)| *from <= bucket && bucket <= *to) else {
            return;
        };
        let (from, to) = self.loaded.swap_remove(nth);
        if let Some(older) = bucket.older().filter(|older| from <= *older) {
            self.loaded.push((from, older));
        }
        if let Some(newer) = bucket.newer().filter(|newer| *newer <= to) {
            self.loaded.push((newer, to));
        }
    }

    fn bytes(&self) -> usize {
        let ids = self.ids.as_ref().map_or(0, |(ids, _)| ids.bytes());
        let directory = self.directory.as_ref().map_or(0, |all| all.len() * 32);
        256 + ids + directory + self.buckets.values().map(Shelf::bytes).sum::<usize>()
    }
}

impl Shelf {
    fn bytes(&self) -> usize {
        64 + self.rows.iter().map(Row::bytes).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
