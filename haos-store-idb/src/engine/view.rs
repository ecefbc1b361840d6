//! The store as a reading or a batch sees it: a draft over the log's tail over the known parts of the tables.
//!
//! Laws and readings are synchronous and a database in a browser is not. So they run over what is in memory; where that
//! is not enough they note [`Fault`]s and stop, what the faults name is loaded, and they run again.

use std::cell::RefCell;
use std::ops::Bound;

use haos_store_api::backend::law::sort_by;
use haos_store_api::backend::{Key, SortedMap};
use haos_store_api::{Collection, Direction, Error, ErrorKind, Position, Result};

use super::changes::{Changes, Run, Value};
use super::ids::By;
use super::keys::{self, Bucket, WIDTH};
use super::kv::{Span, Table};
use super::memory::{Holds, Memory, Next};
use super::row::Row;

/// The segments that are read ahead at most: some hundred KB, in the time of one request.
const AHEAD: usize = 32;

/// What has to be loaded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A record.
    Get(Table, Vec<u8>),
    /// A range of records.
    Scan(Table, Span),
    /// The first records of a range, so many.
    Part(Table, Span, u32),
    /// The messages between two buckets of a room, both included.
    Buckets(Key, Bucket, Bucket),
    /// The same, and whether there are any newer ones.
    Newest(Key, Bucket, Bucket),
    /// The messages of a room from a bucket downwards, about so many segments.
    Older(Key, Bucket, u32),
    /// The ids of a room.
    Ids(Key),
    /// The keys of a room's segments.
    Directory(Key),
}

impl Fault {
    /// Returns the table that it is about.
    pub(crate) fn table(&self) -> Table {
        match self {
            Self::Get(table, _) | Self::Scan(table, _) | Self::Part(table, ..) => *table,
            Self::Buckets(..) | Self::Newest(..) | Self::Older(..) | Self::Directory(_) => Table::Segments,
            Self::Ids(_) => Table::Ids,
        }
    }
}

/// The store as a reading or a batch sees it.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) draft: Changes,
    faults: RefCell<Vec<Fault>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(memory: &'a Memory) -> Self {
        let draft = Changes { head: memory.head, ..Changes::default() };
        Self { memory, draft, faults: RefCell::default() }
    }

    /// Stops until something is loaded.
    fn lacks<T>(&self, fault: Fault) -> Result<T> {
        let mut faults = self.faults.borrow_mut();
        if !faults.contains(&fault) {
            faults.push(fault);
        }
        Err(Error::new(ErrorKind::Other, "read", "a record was not loaded: report this"))
    }

    /// Ends it: returns the draft, and what was lacking.
    pub(crate) fn end(self) -> (Changes, Vec<Fault>) {
        (self.draft, self.faults.into_inner())
    }

    /// Reads a record.
    pub(crate) fn get(&self, table: Table, key: &[u8]) -> Result<Option<Value>> {
        let place = (table, key.to_vec());
        if let Some(changed) = self.draft.records.get(&place) {
            return Ok(changed.clone());
        }
        if let Some((_, changed)) = self.memory.tail.records.get(&place) {
            return Ok(changed.clone());
        }
        match self.memory.tables.get(table, key) {
            Some(value) => Ok(value),
            None => self.lacks(Fault::Get(table, place.1)),
        }
    }

    pub(crate) fn set(&mut self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        self.draft.records.insert((table, key.to_vec()), value.map(Value::from));
    }

    /// Reads the keys and values of a range.
    pub(crate) fn scan(&self, table: Table, span: Span) -> Result<Vec<(Vec<u8>, Value)>> {
        if !self.memory.tables.covers(table, &span) {
            return self.lacks(Fault::Scan(table, span));
        }
        Ok(self.scan_known(table, &span))
    }

    /// Reads the first keys and values of a range, up to `limit`, and no more of the table than they need.
    pub(crate) fn scan_some(&self, table: Table, span: &Span, limit: usize) -> Result<Vec<(Vec<u8>, Value)>> {
        let known = self.memory.tables.known_to(table, &span.low).map(<[u8]>::to_vec);
        let high = known.as_ref().map_or(&span.low, |known| known.min(&span.high)).clone();
        let is_all = known.is_some() && high == span.high;
        let mut found = match known {
            Some(_) => self.scan_known(table, &Span { high: high.clone(), ..span.clone() }),
            None => Vec::new(),
        };
        if found.len() < limit && !is_all {
            // From the last known place on, so that both ranges become one.
            let most = u32::try_from(limit - found.len()).unwrap_or(u32::MAX).saturating_add(1);
            return self.lacks(Fault::Part(table, Span { low: high, ..span.clone() }, most));
        }
        found.truncate(limit);
        Ok(found)
    }

    fn scan_known(&self, table: Table, span: &Span) -> Vec<(Vec<u8>, Value)> {
        let range = || (table, span.low.clone())..=(table, span.high.clone());
        let (draft, tail) = (&self.draft.records, &self.memory.tail.records);
        let stored = self.memory.tables.records.range(range());
        let stored = stored.filter(|(place, _)| !tail.contains_key(place) && !draft.contains_key(place));
        let late = tail.range(range()).filter(|(place, _)| !draft.contains_key(place));
        let late = late.map(|(place, (_, value))| (place, value));
        let all = stored.chain(late).chain(draft.range(range()));
        let mut found: Vec<(Vec<u8>, Value)> =
            all.filter_map(|((_, key), value)| Some((key.clone(), value.clone()?))).collect();
        sort_by(&mut found, |(a, _), (b, _)| a.cmp(b));
        found
    }

    /// Finds the record of a range that is nearest to a key of that range: of those from it on, or of those before it.
    pub(crate) fn nearest(
        &self,
        table: Table,
        span: &Span,
        key: &[u8],
        is_before: bool,
    ) -> Result<Option<(Vec<u8>, Value)>> {
        if !self.memory.tables.covers(table, span) {
            return self.lacks(Fault::Scan(table, span.clone()));
        }
        let place = |key: &[u8]| (table, key.to_vec());
        let (mut low, mut high) = match is_before {
            true => (Bound::Included(place(&span.low)), Bound::Excluded(place(key))),
            false => (Bound::Included(place(key)), Bound::Included(place(&span.high))),
        };
        loop {
            let range = || (low.clone(), high.clone());
            let mut stored = self.memory.tables.records.range(range()).map(|(place, _)| place);
            let mut late = self.memory.tail.records.range(range()).map(|(place, _)| place);
            let mut draft = self.draft.records.range(range()).map(|(place, _)| place);
            let found = match is_before {
                true => [stored.next_back(), late.next_back(), draft.next_back()].into_iter().flatten().max(),
                false => [stored.next(), late.next(), draft.next()].into_iter().flatten().min(),
            };
            let Some(found) = found.cloned() else { return Ok(None) };
            if let Some(value) = self.get(table, &found.1)? {
                return Ok(Some((found.1, value)));
            }
            // It was removed: on to the next.
            match is_before {
                true => high = Bound::Excluded(found),
                false => low = Bound::Excluded(found),
            }
        }
    }

    /// Returns what changed at a position: nothing, or a message, or its removal.
    fn changed(&self, room: &Key, at: Position) -> Option<Option<&Row>> {
        if let Some(row) = self.draft.rows.get(&(*room, at)) {
            return Some(row.as_ref());
        }
        if self.draft.is_dropped(room, at) {
            return Some(None);
        }
        if let Some((_, row)) = self.memory.tail.rows.get(&(*room, at)) {
            return Some(row.as_ref());
        }
        self.memory.tail.is_dropped(room, at).then_some(None)
    }

    /// Reads the message at a position.
    pub(crate) fn row(&self, room: &Key, at: Position) -> Result<Option<Row>> {
        if let Some(changed) = self.changed(room, at) {
            return Ok(changed.cloned());
        }
        let bucket = Bucket::of(at);
        match self.memory.tables.bucket(room, bucket) {
            Some(rows) => Ok(within(rows, at).cloned()),
            None => self.lacks(Fault::Buckets(*room, bucket, bucket)),
        }
    }

    /// Finds the message of an event in a room.
    pub(crate) fn find(&self, room: &Key, event: &Key) -> Result<Option<Row>> {
        let hints = [self.draft.events.get(event).copied(), self.memory.tail.events.get(event).copied()];
        for at in hints.into_iter().flatten() {
            if let Some(row) = self.row(room, at)?.filter(|row| row.event == *event) {
                return Ok(Some(row));
            }
        }
        let Some(ids) = self.memory.tables.ids(room) else { return self.lacks(Fault::Ids(*room)) };
        for at in ids.find(By::Event, event) {
            if let Some(row) = self.row(room, at)?.filter(|row| row.event == *event) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Lists the messages of a room that relate to an event, ascending.
    pub(crate) fn relating(&self, room: &Key, target: &Key) -> Result<Vec<Row>> {
        let Some(ids) = self.memory.tables.ids(room) else { return self.lacks(Fault::Ids(*room)) };
        let mut places = ids.find(By::Target, target);
        let span = (*room, Position::MIN)..=(*room, Position::MAX);
        let tail = self.memory.tail.rows.range(span).filter_map(|(_, (_, row))| row.as_ref());
        places.extend(tail.filter(|row| row.target.as_ref() == Some(target)).map(|row| row.at));
        places.sort_unstable();
        places.dedup();
        let rows: Vec<_> = places.into_iter().map(|at| self.row(room, at)).collect();
        let mut found = Vec::new();
        for row in rows {
            found.extend(row?.filter(|row| row.target.as_ref() == Some(target)));
        }
        Ok(found)
    }

    /// Lists the messages of a part, ascending, where `stored` are those of the tables.
    fn visible<'s>(
        &'s self,
        room: &Key,
        stored: &'s [Row],
        oldest: Position,
        newest: Position,
    ) -> Vec<&'s Row> {
        let from = stored.partition_point(|row| row.at < oldest);
        let to = stored.partition_point(|row| row.at <= newest);
        let stored = &stored[from..to];
        let span = || (*room, oldest)..=(*room, newest);
        let tail = &self.memory.tail;
        let is_changed = self.is_changed(&Run { room: *room, oldest, newest });
        if !is_changed {
            return stored.iter().collect();
        }
        let mut rows: SortedMap<Position, &Row> = SortedMap::new();
        let unchanged = stored.iter().filter(|row| self.changed(room, row.at).is_none());
        rows.extend(unchanged.map(|row| (row.at, row)));
        let late = tail.rows.range(span()).map(|(place, _)| place);
        let late = late.chain(self.draft.rows.range(span()).map(|(place, _)| place));
        rows.extend(late.filter_map(|(_, at)| Some((*at, self.changed(room, *at)??))));
        rows.into_values().collect()
    }

    /// Lists messages from a position on, the nearest first: `wanted` or more, if the room has as many.
    pub(crate) fn page(
        &self,
        room: &Key,
        direction: Direction,
        from: Position,
        wanted: usize,
    ) -> Result<Vec<&Row>> {
        let mut found: Vec<&Row> = Vec::new();
        let mut next = Some(from);
        while let Some(at) = next {
            let (bucket, stored) = match self.memory.tables.next(room, direction, Bucket::of(at)) {
                Next::Found(bucket, rows) => Ok((Some(bucket), rows)),
                Next::Nothing => Ok((None, &[][..])),
                Next::Unknown(bucket) => {
                    // The bucket at the end of a timeline is seldom full.
                    let buckets = wanted.saturating_sub(found.len()) as u64 / WIDTH + 2;
                    self.lacks(match direction {
                        Direction::Older => {
                            // Who reads on goes on reading: as much as was read so far comes along.
                            let ahead = self.memory.tables.newer_beside(room, bucket, AHEAD) as u64;
                            Fault::Older(*room, bucket, u32::try_from(buckets + ahead).unwrap_or(u32::MAX))
                        }
                        Direction::Newer
                            if bucket == Bucket::of(at) || self.memory.tables.directory(room).is_some() =>
                        {
                            Fault::Newest(*room, bucket, bucket.newer_by(buckets))
                        }
                        // Nothing near: the next may be anywhere.
                        Direction::Newer => Fault::Directory(*room),
                    })
                }
            }?;
            match direction {
                Direction::Older => {
                    let oldest = bucket.map_or(Position::MIN, Bucket::oldest);
                    found.extend(self.visible(room, stored, oldest, at).into_iter().rev());
                    next = oldest.older(1);
                }
                Direction::Newer => {
                    let newest = bucket.map_or(Position::MAX, Bucket::newest);
                    found.extend(self.visible(room, stored, at, newest));
                    next = newest.newer(1);
                }
            }
            next = next.filter(|_| bucket.is_some() && found.len() < wanted);
        }
        Ok(found)
    }

    /// Tells whether anything changed in a part since it was stored.
    fn is_changed(&self, part: &Run) -> bool {
        self.draft.rows.range(part.places()).next().is_some()
            || self.draft.dropped.iter().any(|run| run.meets(part))
            || self.memory.tail.rows.range(part.places()).next().is_some()
            || self.memory.tail.drops_in(part)
    }

    /// Lists the buckets that a part meets, with what is in the part: only a sum where a whole bucket is, unchanged,
    /// and the positions otherwise.
    fn parts(&self, room: &Key, oldest: Position, newest: Position) -> Result<Vec<Part>> {
        let memory = self.memory;
        let Some(directory) = memory.tables.directory(room) else {
            return self.lacks(Fault::Directory(*room));
        };
        let mut parts = Vec::new();
        let stored = directory.range(Bucket::of(oldest)..=Bucket::of(newest));
        let mut all: SortedMap<Bucket, Option<Holds>> =
            stored.map(|(bucket, holds)| (*bucket, Some(*holds))).collect();
        let span = || (*room, oldest)..=(*room, newest);
        let late = memory.tail.rows.range(span()).map(|(place, _)| place);
        for (_, at) in late.chain(self.draft.rows.range(span()).map(|(place, _)| place)) {
            all.or_default(Bucket::of(*at));
        }
        let mut known = Ok(());
        for (bucket, holds) in all {
            let run = Run { room: *room, oldest: bucket.oldest(), newest: bucket.newest() };
            let is_whole = oldest <= run.oldest && run.newest <= newest;
            if let Some(holds) = holds
                && is_whole
                && !self.is_changed(&run)
            {
                parts.push(Part::Whole(bucket, holds));
                continue;
            }
            let Some(rows) = memory.tables.bucket(room, bucket) else {
                known = self.lacks(Fault::Buckets(*room, bucket, bucket));
                continue;
            };
            let rows = self.visible(room, rows, run.oldest.max(oldest), run.newest.min(newest));
            parts.push(Part::Rows(rows.into_iter().map(|row| row.at).collect()));
        }
        known.map(|()| parts)
    }

    /// Lists the positions of a room's messages, ascending.
    pub(crate) fn positions(&self, room: &Key) -> Result<Vec<Position>> {
        let mut all = Vec::new();
        let mut known = Ok(());
        for part in self.parts(room, Position::MIN, Position::MAX)? {
            match part {
                Part::Rows(rows) => all.extend(rows),
                Part::Whole(bucket, holds) if holds.count == WIDTH => {
                    let every = bucket.oldest().get()..=bucket.newest().get();
                    all.extend(every.filter_map(|at| Position::new(at).ok()));
                }
                Part::Whole(bucket, _) => match self.memory.tables.bucket(room, bucket) {
                    Some(rows) => all.extend(rows.iter().map(|row| row.at)),
                    None => known = self.lacks(Fault::Buckets(*room, bucket, bucket)),
                },
            }
        }
        known.map(|()| all)
    }

    /// Counts the messages of a room from a position on.
    pub(crate) fn count(&self, room: &Key, oldest: Position) -> Result<u64> {
        let parts = self.parts(room, oldest, Position::MAX)?;
        let count = |part: &Part| match part {
            Part::Whole(_, holds) => holds.count,
            Part::Rows(rows) => rows.len() as u64,
        };
        Ok(parts.iter().map(count).sum())
    }

    /// Removes the messages of a part: whole buckets without reading them.
    pub(crate) fn drop_run(&mut self, room: &Key, oldest: Position, newest: Position) -> Result<()> {
        for part in self.parts(room, oldest, newest)? {
            match part {
                Part::Whole(_, holds) => {
                    let sum = self.draft.head.sums.of_mut(Collection::Messages);
                    sum.rows = sum.rows.saturating_sub(holds.count);
                    sum.bytes = sum.bytes.saturating_sub(holds.bytes);
                }
                Part::Rows(rows) => {
                    for at in rows {
                        self.take_row(room, at)?;
                    }
                }
            }
        }
        self.draft.drop_run(Run { room: *room, oldest, newest });
        Ok(())
    }

    pub(crate) fn put_row(&mut self, room: &Key, row: Row) {
        self.draft.head.sums.grow(Collection::Messages, row.payload.len() as u64);
        if let Some(txn) = &row.txn {
            let key = keys::txn(txn, room, row.at);
            self.set(Table::Txns, &key, Some(key.clone()));
        }
        self.draft.put_row(room, row);
    }

    /// Removes a message, and returns it.
    pub(crate) fn take_row(&mut self, room: &Key, at: Position) -> Result<Option<Row>> {
        let Some(row) = self.row(room, at)? else { return Ok(None) };
        self.draft.head.sums.shrink(Collection::Messages, row.payload.len() as u64);
        if let Some(txn) = &row.txn {
            self.set(Table::Txns, &keys::txn(txn, room, at), None);
        }
        self.draft.rows.insert((*room, at), None);
        Ok(Some(row))
    }
}

/// A part of a bucket.
enum Part {
    Whole(Bucket, Holds),
    Rows(Vec<Position>),
}

/// Finds the message at a position among ascending ones.
fn within(rows: &[Row], at: Position) -> Option<&Row> {
    rows.binary_search_by_key(&at, |row| row.at).ok().and_then(|place| rows.get(place))
}
