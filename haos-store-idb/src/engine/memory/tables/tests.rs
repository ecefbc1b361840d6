//! The known parts of the tables, beside a naive model: what is stored, and a set of what is known of it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::keys::WIDTH;
use super::super::super::row::{Decoded, segments};
use super::*;
use haos_store_api::Revision;

/// The buckets in which something is stored. In the model's set of known ones, this number stands for all above.
const BUCKETS: u64 = 8;

fn bucket(nth: u64) -> Bucket {
    if nth < BUCKETS { Bucket::OLDEST.newer_by(nth) } else { Bucket::NEWEST }
}

fn at(n: u64) -> Position {
    Position::new(n).unwrap()
}

fn row(n: u64, length: u64) -> Row {
    let key = |byte: u8| Key::from_bytes([byte; 16]);
    Row {
        at: at(n),
        event: Key::from_bytes((u128::from(n) * 0x0101_0101_0101_0101_0101_0101_0101_0101).to_be_bytes()),
        sender: key(1),
        target: n.is_multiple_of(3).then(|| key(2)),
        txn: None,
        timestamp_ms: 0,
        written: Revision(length),
        payload: vec![9; length as usize].into(),
        decoded: Decoded::default(),
    }
}

struct Dice(u64);

impl Dice {
    /// Throws a number below `sides`, by xorshift64*.
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

/// What the model says of a room.
#[derive(Debug, Default)]
struct Room {
    stored: BTreeMap<Position, Row>,
    /// Buckets with a segment that cannot be read.
    damaged: BTreeSet<u64>,
    /// True from the first that is noted of the room until all is forgotten.
    is_noted: bool,
    known: BTreeSet<u64>,
    directory: Option<BTreeMap<Bucket, Holds>>,
    entries: Option<BTreeSet<ids::Entry>>,
    /// The latest uses of known buckets with messages, and of the ids.
    used: BTreeMap<Option<u64>, u64>,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Found(Bucket, Vec<Row>),
    Nothing,
    Unknown(Bucket),
}

impl Answer {
    fn of(next: Next<'_>) -> Self {
        match next {
            Next::Found(bucket, rows) => Self::Found(bucket, rows.to_vec()),
            Next::Nothing => Self::Nothing,
            Next::Unknown(bucket) => Self::Unknown(bucket),
        }
    }
}

impl Room {
    fn rows(&self, nth: u64) -> Vec<Row> {
        self.stored.values().filter(|row| Bucket::of(row.at) == bucket(nth)).cloned().collect()
    }

    fn shelf_bytes(&self, nth: u64) -> usize {
        64 + self.rows(nth).iter().map(Row::bytes).sum::<usize>()
    }

    /// Lists the known buckets with messages.
    fn shelves(&self) -> Vec<u64> {
        self.known.iter().copied().filter(|nth| !self.rows(*nth).is_empty()).collect()
    }

    /// Makes the directory as the keys of the stored segments have it, and notes it.
    fn keys(&mut self) -> Vec<Segment> {
        let mut keys: Vec<Segment> = self
            .damaged
            .iter()
            .map(|nth| Segment { bucket: bucket(*nth), part: 9, count: 2, bytes: 40 })
            .collect();
        let mut all: BTreeMap<Bucket, Holds> =
            keys.iter().map(|key| (key.bucket, Holds { count: 2, bytes: 40 })).collect();
        for nth in 0..BUCKETS {
            let rows = self.rows(nth);
            // One segment for each row: a bucket's are added up.
            for row in &rows {
                let one = std::slice::from_ref(row);
                keys.extend(segments(&Key::from_bytes([0; 16]), bucket(nth), 0, one).iter().map(|s| s.0));
                let holds = all.entry(bucket(nth)).or_default();
                holds.count += 1;
                holds.bytes += row.payload.len() as u64;
            }
        }
        self.directory = Some(all);
        self.is_noted = true;
        keys
    }

    fn bucket(&self, nth: u64) -> Option<Vec<Row>> {
        let is_absent = self.directory.as_ref().is_some_and(|all| !all.contains_key(&bucket(nth)));
        (self.known.contains(&nth) || is_absent).then(|| self.rows(nth))
    }

    fn spans(&self, oldest: u64, newest: u64) -> bool {
        (oldest..=newest).all(|nth| self.known.contains(&nth))
            || self
                .directory
                .as_ref()
                .is_some_and(|all| (oldest..=newest).all(|nth| !all.contains_key(&bucket(nth))))
    }

    /// Finds the first of some buckets that is there, or unknown.
    fn first(&self, walk: impl Iterator<Item = u64>) -> Answer {
        for nth in walk {
            let rows = self.rows(nth);
            match &self.directory {
                Some(all) if !all.contains_key(&bucket(nth)) => {}
                _ if !self.known.contains(&nth) => return Answer::Unknown(bucket(nth)),
                None if rows.is_empty() => {}
                _ => return Answer::Found(bucket(nth), rows),
            }
        }
        Answer::Nothing
    }

    fn bytes(&self) -> usize {
        if !self.is_noted {
            return 0;
        }
        let ids = self.entries.as_ref().map_or(0, |entries| entries.len() * 12);
        let directory = self.directory.as_ref().map_or(0, |all| all.len() * 32);
        256 + ids + directory + self.shelves().into_iter().map(|nth| self.shelf_bytes(nth)).sum::<usize>()
    }
}

/// The tables and their model.
struct Both {
    tables: Tables,
    rooms: BTreeMap<Key, Room>,
    clock: u64,
    dice: Dice,
    /// How often each kind of answer came, so that the chance is known to meet them.
    met: BTreeMap<&'static str, u64>,
}

impl Both {
    fn tick(&mut self, room: &Key, what: Option<u64>) {
        self.clock += 1;
        self.rooms.get_mut(room).unwrap().used.insert(what, self.clock);
    }

    fn met(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    fn step(&mut self) {
        let room = Key::from_bytes([1 + self.dice.below(2) as u8; 16]);
        let model = self.rooms.get_mut(&room).unwrap();
        let nth = self.dice.below(BUCKETS);
        match self.dice.below(22) {
            0..3 => {
                let newest = if self.dice.below(6) == 0 {
                    BUCKETS
                } else {
                    (nth + self.dice.below(3)).min(BUCKETS - 1)
                };
                let rows = (nth..=newest).flat_map(|nth| model.rows(nth)).collect();
                self.tables.note_buckets(&room, bucket(nth), bucket(newest), rows);
                model.known.extend(nth..=newest);
                model.is_noted = true;
                self.clock += 1;
                for shelf in model.shelves() {
                    if (nth..=newest).contains(&shelf) {
                        model.used.insert(Some(shelf), self.clock);
                    }
                }
            }
            3..7 => {
                let n = nth * WIDTH + self.dice.below(WIDTH);
                let new = (self.dice.below(3) > 0).then(|| row(n, self.dice.below(50)));
                self.tables.set_rows([((room, at(n)), new.clone())].into_iter());
                match new {
                    Some(new) => {
                        if let Some(entries) = &mut model.entries {
                            entries.extend(ids::entries(&new, None));
                        }
                        model.stored.insert(at(n), new);
                    }
                    None => drop(model.stored.remove(&at(n))),
                }
                model.directory = None;
                // What was just written is used next.
                self.look(&room, nth);
            }
            7 => {
                let oldest = nth * WIDTH + self.dice.below(WIDTH);
                let newest = oldest + self.dice.below(WIDTH * 2);
                self.tables.drop_run(&Run { room, oldest: at(oldest), newest: at(newest) });
                model.stored.retain(|at, _| at.get() < oldest || newest < at.get());
                model.directory = None;
            }
            8 => {
                let keys = model.keys();
                self.tables.note_directory(&room, keys.into_iter());
                let directory = self.tables.directory(&room);
                let directory = directory.map(|all| all.iter().map(|(at, holds)| (*at, *holds)).collect());
                assert_eq!(directory, model.directory);
            }
            9 => {
                let entries: BTreeSet<ids::Entry> =
                    model.stored.values().flat_map(|row| ids::entries(row, None)).collect();
                self.tables.note_ids(&room, Ids::of(vec![entries.iter().copied().collect()]));
                model.entries = Some(entries);
                model.is_noted = true;
                self.tick(&room, None);
            }
            10 => {
                let found = self.tables.ids(&room).map(Ids::bytes);
                assert_eq!(found, model.entries.as_ref().map(|entries| entries.len() * 12));
                if found.is_some() {
                    self.tick(&room, None);
                }
            }
            11..14 => self.look(&room, nth),
            14..16 => {
                let (nth, newest) = (nth, nth + self.dice.below(3));
                let newest = newest.min(BUCKETS - 1);
                assert_eq!(self.tables.spans(&room, bucket(nth), bucket(newest)), model.spans(nth, newest));
            }
            16..18 => {
                let from = self.dice.below(BUCKETS + 1);
                let expected = model.first((0..=from).rev());
                let found = Answer::of(self.tables.next(&room, Direction::Older, bucket(from)));
                assert_eq!(found, expected, "older than {from}: {model:?}");
                self.after(&room, &found);
            }
            18..20 => {
                let from = self.dice.below(BUCKETS);
                let mut expected = model.first(from..=BUCKETS);
                if expected == Answer::Unknown(Bucket::NEWEST) && model.directory.is_none() {
                    expected = Answer::Unknown(bucket(BUCKETS - 1).newer().unwrap());
                }
                let found = Answer::of(self.tables.next(&room, Direction::Newer, bucket(from)));
                assert_eq!(found, expected, "newer than {from}: {model:?}");
                self.after(&room, &found);
            }
            20 => {
                let total = self.tables.bytes();
                let bytes = self.dice.below(total as u64 + 1) as usize;
                let is_enough = self.dice.below(9) == 0;
                self.shrink_to(if is_enough { total } else { bytes });
            }
            _ => {
                // Something that no shelf holds.
                self.tables.note(Table::Rooms, vec![nth as u8], Some(Value::from(vec![0; 40])));
            }
        }
        let records = self.tables.records.len() * (64 + 1 + 40);
        assert_eq!(self.tables.bytes(), records + self.rooms.values().map(Room::bytes).sum::<usize>());
    }

    fn look(&mut self, room: &Key, nth: u64) {
        let expected = self.rooms[room].bucket(nth);
        let found = self.tables.bucket(room, bucket(nth)).map(<[Row]>::to_vec);
        assert_eq!(found, expected);
        if found.is_some_and(|rows| !rows.is_empty()) {
            self.tick(room, Some(nth));
        }
    }

    /// Notes that an answer used a bucket.
    fn after(&mut self, room: &Key, found: &Answer) {
        self.met(match found {
            Answer::Found(_, rows) if rows.is_empty() => "damaged",
            Answer::Found(..) => "found",
            Answer::Nothing => "nothing",
            Answer::Unknown(_) => "unknown",
        });
        if let Answer::Found(found, rows) = found
            && !rows.is_empty()
        {
            let nth = (0..BUCKETS).find(|nth| bucket(*nth) == *found);
            self.tick(room, nth);
        }
    }

    /// Forgets in the order of the latest uses, as long as it was too much.
    fn shrink_to(&mut self, bytes: usize) {
        let (mut total, records) = (self.tables.bytes(), self.tables.records.len());
        self.tables.shrink_to(bytes);
        if total <= bytes {
            return;
        }
        let mut all = Vec::new();
        for (key, room) in &mut self.rooms {
            room.directory = None;
            for nth in room.shelves() {
                all.push((room.used[&Some(nth)], *key, Some(nth), room.shelf_bytes(nth)));
            }
            if let Some(entries) = &room.entries {
                all.push((room.used[&None], *key, None, entries.len() * 12));
            }
        }
        all.sort();
        for (_, key, what, size) in all {
            if total <= bytes {
                break;
            }
            let room = self.rooms.get_mut(&key).unwrap();
            match what {
                Some(nth) => drop(room.known.remove(&nth)),
                None => room.entries = None,
            }
            total -= size;
            self.met("forgotten");
        }
        for room in self.rooms.values_mut() {
            if room.shelves().is_empty() && room.entries.is_none() {
                room.is_noted = false;
                room.known.clear();
            }
        }
        assert_eq!(self.tables.records.len(), if total > bytes { 0 } else { records });
        assert!(self.tables.bytes() <= bytes, "{} of {bytes}", self.tables.bytes());
    }
}

#[test]
fn what_is_known_of_timelines_is_what_is_stored() {
    let mut met = BTreeMap::new();
    for seed in 1..=60 {
        let mut dice = Dice(seed);
        let mut rooms: BTreeMap<Key, Room> = BTreeMap::new();
        for room in 1..=2 {
            let room = rooms.entry(Key::from_bytes([room; 16])).or_default();
            // The ends of buckets, too.
            for n in 0..BUCKETS * WIDTH {
                if dice.below(40) == 0 || n % (5 * WIDTH) == 0 || n % (3 * WIDTH) == WIDTH - 1 {
                    room.stored.insert(at(n), row(n, dice.below(50)));
                }
            }
            room.damaged.extend([dice.below(BUCKETS)]);
        }
        let mut both = Both { tables: Tables::default(), rooms, clock: 0, dice, met };
        for _ in 0..600 {
            both.step();
        }
        met = both.met;
    }
    for what in ["found", "nothing", "unknown", "damaged", "forgotten"] {
        assert!(met.get(what).is_some_and(|times| *times > 5), "{what}: {met:?}");
    }
}

#[test]
fn what_is_known_of_records_is_what_is_stored() {
    let mut dice = Dice(5);
    let mut tables = Tables::default();
    let mut stored: BTreeMap<(Table, u64), u64> = BTreeMap::new();
    let mut known: BTreeSet<(Table, u64)> = BTreeSet::new();
    let value = |n: u64| Value::from(vec![n as u8; 3]);
    let key = |n: u64| vec![n as u8];
    for _ in 0..5000 {
        let table = [Table::Rooms, Table::Media][dice.below(2) as usize];
        let (low, n) = (dice.below(12), dice.below(200));
        let high = low + dice.below(5);
        let span = Span::new(key(low), key(high));
        match dice.below(8) {
            0..3 => {
                let new = (n % 3 > 0).then_some(n);
                tables.note(table, key(low), new.map(value));
                match new {
                    Some(new) => drop(stored.insert((table, low), new)),
                    None => drop(stored.remove(&(table, low))),
                }
                known.insert((table, low));
            }
            3..5 => {
                // As another transaction finds it: it may have changed.
                stored.retain(|(of, at), _| *of != table || !(low..=high).contains(at) || (at + n) % 4 > 0);
                let found = stored.range((table, low)..=(table, high));
                let found = found.map(|((_, at), n)| (key(*at), value(*n))).collect();
                tables.note_range(table, span, found);
                known.extend((low..=high).map(|at| (table, at)));
                let spans = &tables.spans;
                for ((of, low), high) in spans.iter() {
                    let mut others = spans.keys().filter(|(other, from)| other == of && from != low);
                    assert!(!others.any(|(_, from)| low <= from && from <= high), "they overlap");
                }
            }
            5 if n % 10 == 0 => {
                tables.forget(table);
                known.retain(|(of, _)| *of != table);
            }
            6 if n % 20 == 0 => {
                tables.shrink_to(0);
                known.clear();
            }
            _ => {
                if tables.covers(table, &span) {
                    assert!((low..=high).all(|at| known.contains(&(table, at))));
                }
            }
        }
        for table in [Table::Rooms, Table::Media] {
            for at in 0..17 {
                let expected =
                    known.contains(&(table, at)).then(|| stored.get(&(table, at)).copied().map(value));
                assert_eq!(tables.get(table, &key(at)), expected);
            }
        }
    }
    let span = |low, high| Span::new(key(low), key(high));
    tables.note_range(Table::State, span(3, 6), Vec::new());
    for (low, high, is_covered) in [(3, 6, true), (4, 5, true), (2, 5, false), (4, 7, false), (8, 9, false)] {
        assert_eq!(tables.covers(Table::State, &span(low, high)), is_covered);
        assert!(!tables.covers(Table::Gaps, &span(low, high)));
    }
}
