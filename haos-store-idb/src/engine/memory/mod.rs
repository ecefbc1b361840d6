//! What a context knows of the store: counters, the tail of the log, and parts of the tables.
//!
//! The tail has every change since the tables were last folded into, so that a part of the tables that was read at any
//! time since then, with the tail over it, is the store as of `number`. A fold that happened moves the tail's changes
//! into the known parts, which thereby are what the tables are now: nothing is read again.

mod tables;

use haos_store_api::backend::{Codec, Key, SortedMap};
use haos_store_api::{Position, Result};

use super::changes::{Changes, Run, Value, record_bytes, row_bytes, take_out};
use super::head::Head;
use super::kv::Table;
use super::record::{Entry, Record};
use super::row::Row;
pub(crate) use tables::{Holds, Next, Tables};

/// The memory of a context.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The counters after the latest record.
    pub(crate) head: Head,
    /// The number of the latest record of the log that is in here; absent before the first reading.
    pub(crate) number: Option<u64>,
    /// The latest record that tells of a fold, or of other changes of the tables.
    marked: u64,
    pub(crate) tail: Tail,
    pub(crate) tables: Tables,
    /// Records of the log that could not be read.
    pub(crate) damaged: u64,
}

/// What a record that was taken up asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    Done,
    /// The keys changed: everything has to be read anew, with the keyring's record.
    Keys,
    /// Records before it are gone: everything has to be read anew.
    Missed,
}

impl Memory {
    /// Takes up the next record of the log.
    ///
    /// # Errors
    /// `NewerSchema` for a record of a later version.
    pub(crate) fn take(&mut self, codec: &Codec, bytes: Vec<u8>) -> Result<Taken> {
        let number = Record::number_of(&bytes);
        let expected = self.number.map_or(0, |number| number + 1);
        match number {
            Some(number) if number < expected => return Ok(Taken::Done),
            Some(number) if number > expected => return Ok(Taken::Missed),
            _ => {}
        }
        let Some(record) = codec.keep(Record::decode(bytes))? else {
            self.number = Some(expected);
            self.damaged += 1;
            return Ok(Taken::Done);
        };
        Ok(self.know(record))
    }

    /// Takes up the next record, decoded.
    pub(crate) fn know(&mut self, record: Record) -> Taken {
        let Record { number, head, entry } = record;
        self.number = Some(number);
        self.head = head;
        match entry {
            Entry::Commit(changes) => self.tail.lay(number, *changes),
            Entry::Folded(upto) => {
                self.marked = number;
                self.tail.fold(upto, &mut self.tables);
            }
            Entry::Reset => {
                self.marked = number;
                (self.tail, self.tables) = Default::default();
            }
            Entry::Keys => {
                self.marked = number;
                return Taken::Keys;
            }
        }
        Taken::Done
    }

    /// Takes up a commit that is in the tables already, with everything before it: what it wrote is known of them.
    pub(crate) fn know_folded(&mut self, number: u64, changes: Changes) {
        (self.number, self.head, self.marked) = (Some(number), changes.head, number);
        self.tail.fold(number, &mut self.tables);
        changes.dropped.iter().for_each(|run| self.tables.drop_run(run));
        self.tables.set_rows(changes.rows.into_iter());
        for ((table, key), value) in changes.records {
            if table != Table::Chunks {
                self.tables.note(table, key, value);
            }
        }
    }

    /// Forgets everything, and begins at the tables as the latest fold left them.
    pub(crate) fn begin(&mut self, head: Head) {
        *self = Self { number: Some(head.folded), head, damaged: self.damaged, ..Self::default() };
    }

    /// Tells whether parts of the tables may be taken up that were read when `number` was the latest record: no later
    /// one, already in here, tells of changes of the tables.
    pub(crate) fn agrees(&self, number: u64) -> bool {
        self.marked <= number && self.number.is_some_and(|known| known >= number)
    }
}

/// The changes since the latest fold, each with the number of its record.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    pub(crate) records: SortedMap<(Table, Vec<u8>), (u64, Option<Value>)>,
    pub(crate) rows: SortedMap<(Key, Position), (u64, Option<Row>)>,
    dropped: Vec<(u64, Run)>,
    pub(crate) events: SortedMap<Key, Position>,
    /// The records in it, and about how many bytes they have.
    pub(crate) commits: u64,
    pub(crate) bytes: usize,
}

impl Tail {
    fn lay(&mut self, number: u64, changes: Changes) {
        self.commits += 1;
        for run in changes.dropped {
            take_out(&mut self.rows, run.places());
            self.dropped.push((number, run));
        }
        for ((table, key), value) in changes.records {
            if table != Table::Chunks {
                self.bytes += record_bytes(&key, value.as_ref());
                self.records.insert((table, key), (number, value));
            }
        }
        for (place, row) in changes.rows {
            self.bytes += row_bytes(row.as_ref());
            self.rows.insert(place, (number, row));
        }
        self.events.extend(changes.events);
    }

    /// Moves the changes of the records up to a number into the known parts of the tables.
    #[inline(never)]
    fn fold(&mut self, upto: u64, tables: &mut Tables) {
        self.dropped.retain(|(number, run)| {
            let stays = *number > upto;
            if !stays {
                tables.drop_run(run);
            }
            stays
        });
        let late = |number: &u64| *number > upto;
        let mut folded = Vec::new();
        for (place, (number, row)) in std::mem::take(&mut self.rows) {
            if late(&number) {
                self.rows.insert(place, (number, row));
            } else {
                folded.push((place, row));
            }
        }
        tables.set_rows(folded.into_iter());
        let records = std::mem::take(&mut self.records);
        for (place, (number, value)) in records {
            if late(&number) {
                self.records.insert(place, (number, value));
            } else {
                tables.note(place.0, place.1, value);
            }
        }
        let rows = &self.rows;
        let stays = rows.values().filter_map(|(_, row)| row.as_ref());
        self.events = stays.map(|row| (row.event, row.at)).collect();
        self.commits = 0;
        let rows = self.rows.values().map(|(_, row)| row_bytes(row.as_ref()));
        let records = self.records.iter().map(|((_, key), (_, value))| record_bytes(key, value.as_ref()));
        self.bytes = rows.chain(records).sum();
    }

    /// Tells whether the position lost its message to a dropped part.
    pub(crate) fn is_dropped(&self, room: &Key, at: Position) -> bool {
        self.dropped.iter().any(|(_, run)| run.has(room, at))
    }

    /// Tells whether a part of a room's timeline meets a dropped one.
    pub(crate) fn drops_in(&self, part: &Run) -> bool {
        self.dropped.iter().any(|(_, run)| run.meets(part))
    }
}
