//! Where a message may stand: blocks of (hash, position), by room.
//!
//! An entry is a hint: what stands at the position proves it. So entries are added and never changed: a message that
//! moved or went leaves one behind, until the blocks are made anew. What must not happen is that an entry lacks.

use haos_store_api::backend::Key;
use haos_store_api::backend::kv::{corrupt, keys};
use haos_store_api::{Position, Result};

use super::kv::{Span, Table};
use super::row::Row;

/// The bytes of a hash, and of an entry.
const HASH: usize = 7;
const ENTRY: usize = HASH + 5;

/// The most entries of a block.
pub(crate) const MOST: usize = 1024;

/// What an entry finds its message by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// Its own id.
    Event,
    /// The id of the message that it relates to.
    Target,
}

/// An entry: a hash, and a position.
pub(crate) type Entry = [u8; ENTRY];

/// Makes the entry of a key at a position.
fn entry(by: By, key: &Key, at: Position) -> Entry {
    let mut entry = [0; ENTRY];
    entry[..HASH].copy_from_slice(&hash(by, key));
    entry[HASH..].copy_from_slice(&keys::position(at));
    entry
}

/// A key is a hash itself: its two halves serve the two kinds.
fn hash(by: By, key: &Key) -> [u8; HASH] {
    let from = match by {
        By::Event => 0,
        By::Target => Key::BYTES / 2,
    };
    let mut hash = [0; HASH];
    hash.copy_from_slice(&key.as_bytes()[from..from + HASH]);
    hash
}

/// Lists the entries of a row that one before it, at the same place, has not.
pub(crate) fn entries(row: &Row, before: Option<&Row>) -> impl Iterator<Item = Entry> {
    let before = before.filter(|before| before.at == row.at);
    let event = before.is_none_or(|before| before.event != row.event).then_some((By::Event, row.event));
    let target = row.target.filter(|_| before.is_none_or(|before| before.target != row.target));
    let target = target.map(|target| (By::Target, target));
    let at = row.at;
    event.into_iter().chain(target).map(move |(by, key)| entry(by, &key, at))
}

/// Makes the key of a block.
pub(crate) fn block_key(room: &Key, number: u32) -> Vec<u8> {
    [room.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

/// Spans the blocks of a room.
pub(crate) fn blocks(room: &Key) -> Span {
    Span::prefix(room.as_bytes())
}

/// A block of entries, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) number: u32,
    pub(crate) entries: Vec<Entry>,
}

impl Block {
    pub(crate) fn encode(&self, room: &Key) -> Vec<u8> {
        let mut value = block_key(room, self.number);
        value.extend(self.entries.as_flattened());
        value
    }

    /// Decodes a block of a room.
    pub(crate) fn decode(room: &Key, value: &[u8]) -> Result<Self> {
        let damaged = || corrupt("decode", "a block of ids is damaged, or another room's");
        if !value.starts_with(room.as_bytes()) {
            return Err(damaged());
        }
        let number = value.get(Key::BYTES..).and_then(|rest| rest.first_chunk()).ok_or_else(damaged)?;
        let entries = value.get(Table::Ids.key_bytes()..).unwrap_or_default();
        let (entries, []) = entries.as_chunks::<ENTRY>() else { return Err(damaged()) };
        if !entries.is_sorted() {
            return Err(damaged());
        }
        Ok(Self { number: u32::from_be_bytes(*number), entries: entries.to_vec() })
    }
}

/// Puts entries into blocks, into `last` first. Returns the blocks that are new or changed.
pub(crate) fn pack(last: Block, mut new: Vec<Entry>) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut block = match last.entries.len() < MOST {
        true => last,
        false => Block { number: last.number + 1, entries: Vec::new() },
    };
    while !new.is_empty() {
        let later = new.split_off((MOST - block.entries.len()).min(new.len()));
        block.entries.append(&mut new);
        block.entries.sort_unstable();
        block.entries.dedup();
        let number = block.number + 1;
        blocks.push(std::mem::replace(&mut block, Block { number, entries: Vec::new() }));
        new = later;
    }
    blocks
}

/// All entries of a room.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(Vec<Vec<Entry>>);

impl Ids {
    /// Takes up the blocks of a room. What a damaged one held is not found.
    pub(crate) fn of(blocks: Vec<Vec<Entry>>) -> Self {
        Self(blocks)
    }

    /// Adds entries.
    pub(crate) fn add(&mut self, mut new: Vec<Entry>) {
        if new.is_empty() {
            return;
        }
        if let Some(last) = self.0.pop_if(|last| last.len() < MOST) {
            new.extend(last);
        }
        new.sort_unstable();
        new.dedup();
        self.0.push(new);
    }

    /// Lists the positions at which a message may stand, newest entries first.
    pub(crate) fn find(&self, by: By, key: &Key) -> Vec<Position> {
        let hash = hash(by, key);
        let mut found = Vec::new();
        for block in self.0.iter().rev() {
            let from = block.partition_point(|entry| entry[..HASH] < hash[..]);
            let same = block[from..].iter().take_while(|entry| entry[..HASH] == hash[..]);
            found.extend(same.filter_map(|entry| keys::parse_position(&entry[HASH..])));
        }
        found
    }

    /// Returns the bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.0.iter().map(|block| block.len() * ENTRY).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::row::tests::row;
    use super::*;

    #[test]
    fn what_is_put_in_is_found() {
        let room = Key::from_bytes([7; 16]);
        let rows: Vec<Row> = (1..250).map(row).collect();
        let new: Vec<Entry> = rows.iter().flat_map(|row| entries(row, None)).collect();
        assert_eq!(new.len(), 249 + 124);
        let mut blocks: Vec<Block> = Vec::new();
        for part in new.chunks(100) {
            for block in pack(blocks.pop().unwrap_or_default(), part.to_vec()) {
                blocks.push(Block::decode(&room, &block.encode(&room)).unwrap());
            }
        }
        let mut ids = Ids::of(blocks.into_iter().map(|block| block.entries).collect());
        let more = row(251);
        ids.add(entries(&more, None).collect());
        for row in rows.iter().chain([&more]) {
            assert!(ids.find(By::Event, &row.event).contains(&row.at));
        }
        assert_eq!(ids.find(By::Target, &Key::from_bytes([2; 16])).len(), 124);
        assert_eq!(ids.find(By::Event, &Key::from_bytes([255; 16])), []);
    }

    #[test]
    fn blocks_fill_up_and_number_on() {
        let new = |from: u64, count: u64| -> Vec<Entry> {
            let key =
                |n: u64| Key::from_bytes(u128::from(n.reverse_bits()).to_be_bytes().map(|b| b ^ n as u8));
            (from..from + count).map(|n| entry(By::Event, &key(n), Position::new(n + 1).unwrap())).collect()
        };
        let blocks = pack(Block::default(), new(0, 2500));
        assert_eq!(
            blocks.iter().map(|b| (b.number, b.entries.len())).collect::<Vec<_>>(),
            [(0, MOST), (1, MOST), (2, 452)]
        );
        let more = pack(blocks[2].clone(), new(3000, 600));
        assert_eq!(
            more.iter().map(|b| (b.number, b.entries.len())).collect::<Vec<_>>(),
            [(2, MOST), (3, 28)]
        );
        let more = pack(blocks[0].clone(), new(4000, 1));
        assert_eq!((more[0].number, more.len()), (1, 1));
        assert!(pack(more[0].clone(), Vec::new()).is_empty());
    }

    #[test]
    fn a_change_in_place_needs_no_entry() {
        let before = row(6);
        assert_eq!(entries(&before, Some(&before)).count(), 0);
        let edited = Row { target: None, ..before.clone() };
        assert_eq!(entries(&edited, Some(&before)).count(), 0);
        assert_eq!(entries(&before, Some(&edited)).count(), 1);
        assert_eq!(entries(&before, Some(&row(5))).count(), 2);
    }
}
