//! Records of the log.
//!
//! A record begins with its own number. A commit is one record, or several in one transaction where it is large; the
//! parts are changes like any others, so that whoever reads them needs not know.

use std::rc::Rc;

use haos_store_api::Result;
use haos_store_api::backend::kv::{Cut, corrupt};
use haos_store_api::backend::{Crc32, Key};

use super::changes::{Changes, Run, Value};
use super::head::Head;
use super::kv::Table;
use super::row::Row;

/// The most bytes of a record, unless one value alone has more: above 64 KiB Chromium keeps a value in a file of its
/// own, see `tables::CHUNK`.
pub(crate) const MOST_BYTES: usize = 56 << 10;

const VERSION: u8 = 1;
const COMMIT: u8 = 0;
const FOLDED: u8 = 1;
const RESET: u8 = 2;
const KEYS: u8 = 3;

/// In the place of a length: no value.
const NOTHING: u32 = u32::MAX;

/// What a record says.
#[derive(Debug, Clone)]
pub(crate) enum Entry {
    /// A commit, or a part of one.
    Commit(Box<Changes>),
    /// The records up to this number are in the tables.
    Folded(u64),
    /// Everything is in the tables, this record's commit too, and what is known of them may be outdated.
    Reset,
    /// The keys changed, and rows may be sealed anew.
    Keys,
}

/// A record of the log.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) number: u64,
    /// The counters after it.
    pub(crate) head: Head,
    pub(crate) entry: Entry,
}

/// Encodes a record that is no commit.
pub(crate) fn mark(number: u64, head: &Head, entry: &Entry) -> Vec<u8> {
    let (kind, upto) = match entry {
        Entry::Commit(changes) => return commit(number, changes).swap_remove(0),
        Entry::Folded(upto) => (FOLDED, Some(*upto)),
        Entry::Reset => (RESET, None),
        Entry::Keys => (KEYS, None),
    };
    let mut bytes = begin(number, kind, head);
    bytes.extend(upto.into_iter().flat_map(u64::to_be_bytes));
    end(bytes)
}

/// Encodes a commit, from a number on. Bytes of media are left out: they are written beside it.
pub(crate) fn commit(first: u64, changes: &Changes) -> Vec<Vec<u8>> {
    let mut parts = Parts { done: Vec::new(), first, head: &changes.head, open: Vec::new(), room: None };
    parts.open = parts.begun();
    for Run { room, oldest, newest } in &changes.dropped {
        let place = haos_store_api::backend::kv::keys::position;
        parts.item(&[DROP], None, &[room.as_bytes().as_slice(), &place(*oldest), &place(*newest)].concat());
    }
    for ((table, key), value) in changes.records.iter() {
        if *table == Table::Chunks {
            continue;
        }
        let rest = value.as_ref().map(|value| value.get(key.len()..).unwrap_or_default());
        let mut item = vec![*table as u8];
        item.extend((key.len() as u8).to_be_bytes());
        item.extend(key);
        item.extend(rest.map_or(NOTHING, |rest| u32::try_from(rest.len()).unwrap_or(NOTHING)).to_be_bytes());
        item.extend(rest.unwrap_or_default());
        parts.item(&[PUT], None, &item);
    }
    for ((room, at), row) in changes.rows.iter() {
        let mut item = Vec::new();
        match row {
            Some(row) => {
                item.push(ROW);
                row.encode(&mut item);
            }
            None => {
                item.push(GONE);
                item.extend(haos_store_api::backend::kv::keys::position(*at));
            }
        }
        parts.item(&[], Some(room), &item);
    }
    parts.finish()
}

/// The kinds of items in a commit.
const DROP: u8 = 0;
const PUT: u8 = 1;
/// The rows that follow are of this room.
const ROOM: u8 = 2;
const ROW: u8 = 3;
const GONE: u8 = 4;

/// The parts of a commit's record.
struct Parts<'a> {
    done: Vec<Vec<u8>>,
    first: u64,
    head: &'a Head,
    open: Vec<u8>,
    /// The room of the rows that are written.
    room: Option<Key>,
}

impl Parts<'_> {
    fn begun(&self) -> Vec<u8> {
        begin(self.first + self.done.len() as u64, COMMIT, self.head)
    }

    fn item(&mut self, kind: &[u8], room: Option<&Key>, item: &[u8]) {
        let is_full = self.open.len() + kind.len() + item.len() + 1 + Key::BYTES + 4 > MOST_BYTES;
        if is_full && self.open.len() > HEAD {
            let next = std::mem::take(&mut self.open);
            self.done.push(end(next));
            self.open = self.begun();
            self.room = None;
        }
        if let Some(room) = room
            && self.room != Some(*room)
        {
            self.open.push(ROOM);
            self.open.extend(room.as_bytes());
            self.room = Some(*room);
        }
        self.open.extend(kind);
        self.open.extend(item);
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.done.push(end(self.open));
        self.done
    }
}

/// The bytes before a record's items.
const HEAD: usize = 1 + 8 + 1 + Head::BYTES;

fn begin(number: u64, kind: u8, head: &Head) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(number.to_be_bytes());
    bytes.push(kind);
    bytes.extend(head.encode());
    bytes
}

fn end(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.extend(Crc32::of(&bytes).to_be_bytes());
    bytes
}

fn damaged() -> haos_store_api::Error {
    corrupt("decode", "a record of the log is damaged")
}

impl Record {
    /// Decodes a record.
    ///
    /// # Errors
    /// `NewerSchema` for one of a later format, `Corrupt` for anything else that this module did not write.
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<Self> {
        let record: Rc<[u8]> = Rc::from(bytes);
        let (body, sum) = record.split_last_chunk::<4>().ok_or_else(damaged)?;
        if u32::from_be_bytes(*sum) != Crc32::of(body) {
            return Err(damaged());
        }
        let mut cut = Cut(body);
        let version = cut.byte()?;
        if version != VERSION {
            return Err(haos_store_api::backend::kv::counters::newer(version.into(), VERSION.into()));
        }
        let (number, kind) = (cut.count()?, cut.byte()?);
        let head = Head::decode("open", cut.bytes(Head::BYTES)?)?;
        let entry = match kind {
            COMMIT => Entry::Commit(Box::new(items(&record, cut, head)?)),
            FOLDED => Entry::Folded(cut.count()?),
            RESET => Entry::Reset,
            KEYS => Entry::Keys,
            _ => return Err(damaged()),
        };
        Ok(Self { number, head, entry })
    }

    /// Reads the number of a record that may be damaged otherwise.
    pub(crate) fn number_of(bytes: &[u8]) -> Option<u64> {
        let number = bytes.get(1..)?.first_chunk()?;
        Some(u64::from_be_bytes(*number))
    }
}

fn items(record: &Rc<[u8]>, mut cut: Cut<'_>, head: Head) -> Result<Changes> {
    let mut changes = Changes { head, ..Changes::default() };
    let mut room = None;
    while !cut.0.is_empty() {
        match cut.byte()? {
            DROP => {
                let (room, oldest, newest) = (cut.key()?, cut.position()?, cut.position()?);
                changes.dropped.push(Run { room, oldest, newest });
            }
            PUT => {
                let table = Table::of(cut.byte()?).ok_or_else(damaged)?;
                let length = cut.byte()?;
                let key = cut.bytes(length.into())?.to_vec();
                let value: Option<Value> = match cut.nr()? {
                    NOTHING => None,
                    length => Some([&key, cut.bytes(length as usize)?].concat().into()),
                };
                changes.records.insert((table, key), value);
            }
            ROOM => room = Some(cut.key()?),
            ROW => {
                let row = Row::decode(record, &mut cut)?;
                changes.put_row(&room.ok_or_else(damaged)?, row);
            }
            GONE => {
                changes.rows.insert((room.ok_or_else(damaged)?, cut.position()?), None);
            }
            _ => return Err(damaged()),
        }
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use haos_store_api::{Position, Revision};

    use super::super::row::tests::row;
    use super::*;

    fn changes() -> Changes {
        let mut changes =
            Changes { head: Head { revision: Revision(7), ..Head::default() }, ..Changes::default() };
        let room = |byte| Key::from_bytes([byte; 16]);
        changes.dropped.push(Run { room: room(1), oldest: Position::MIN, newest: Position::MAX });
        changes.records.insert((Table::Rooms, vec![4; 16]), Some(Rc::from(vec![4; 40])));
        changes.records.insert((Table::State, vec![5; 48]), None);
        changes.records.insert((Table::Chunks, vec![6; 16]), Some(Rc::from(vec![6; 99])));
        for n in 1..200 {
            let room = room(1 + (n % 2) as u8);
            changes.put_row(&room, row(n));
            changes.rows.insert((room, row(n + 500).at), None);
        }
        changes
    }

    #[test]
    fn a_commit_comes_back_in_parts() {
        let changes = changes();
        let mut parts = commit(12, &changes);
        assert!(parts.len() == 1 && parts[0].len() < MOST_BYTES, "{}", parts.len());
        let Record { number: 12, entry: Entry::Commit(read), .. } = Record::decode(parts.remove(0)).unwrap()
        else {
            panic!()
        };
        let mut expected = changes.clone();
        expected.records.remove(&(Table::Chunks, vec![6; 16]));
        assert_eq!((read.head, &read.records), (expected.head, &expected.records));
        assert_eq!((&read.rows, &read.events), (&expected.rows, &expected.events));
        assert_eq!(read.dropped, expected.dropped);

        let large = |n| Row { payload: vec![n as u8; 20 << 10].into(), ..row(n) };
        let mut changes = Changes::default();
        for n in 1..20 {
            changes.put_row(&Key::from_bytes([1; 16]), large(n));
        }
        let parts = commit(5, &changes);
        assert_eq!(parts.len(), 10);
        let mut all = Changes::default();
        for (part, number) in parts.into_iter().zip(5..) {
            assert!(part.len() <= MOST_BYTES);
            let record = Record::decode(part).unwrap();
            assert_eq!(record.number, number);
            let Entry::Commit(part) = record.entry else { panic!() };
            all.lay(*part);
        }
        assert_eq!(all.rows, changes.rows);
    }

    #[test]
    fn a_record_is_filled_to_its_last_byte() {
        let sized = |rooms: [u8; 2], length: usize| {
            let mut changes = Changes::default();
            for (room, (n, length)) in rooms.into_iter().zip([(1, 1000), (5, length)]) {
                let row = Row { payload: vec![0; length].into(), ..row(n) };
                changes.put_row(&Key::from_bytes([room; 16]), row);
            }
            commit(1, &changes).iter().map(Vec::len).collect::<Vec<_>>()
        };
        let [empty] = sized([1, 2], 0)[..] else { panic!() };
        let fits = MOST_BYTES - empty;
        assert_eq!(sized([1, 2], fits), [MOST_BYTES]);
        assert_eq!(sized([1, 2], fits + 1).len(), 2);
        let [same] = sized([1, 1], 0)[..] else { panic!() };
        assert_eq!(empty - same, 1 + Key::BYTES, "a room is named once");
    }

    #[test]
    fn marks_come_back_and_damage_is_noticed() {
        let head = Head { revision: Revision(3), ..Head::default() };
        for entry in [Entry::Folded(8), Entry::Reset, Entry::Keys] {
            let bytes = mark(9, &head, &entry);
            let read = Record::decode(bytes.clone()).unwrap();
            assert_eq!(
                (read.number, read.head, format!("{:?}", read.entry)),
                (9, head, format!("{entry:?}"))
            );
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 1;
                assert!(Record::decode(other).is_err());
                assert!(Record::decode(bytes[..at].to_vec()).is_err());
            }
        }
        let bytes = commit(1, &changes()).remove(0);
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 0x40;
            assert!(Record::decode(other).is_err(), "{at}");
        }
    }
}
