//! The floors of ordered keys: the same layout over sled and over redb.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use haos_contest::{Contender, Made, room_id};

use super::{CHUNK, RELATED, Rows, key};

/// Pairs to write, and keys (without a value) to delete.
pub type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// A store of ordered keys.
pub trait Kv: Send + Sync + Sized {
    /// Opens it.
    fn open(folder: &Path) -> Self;
    /// Writes at once; `strict` survives a loss of power.
    fn write(&self, writes: Writes, strict: bool);
    /// Reads one.
    fn get(&self, key: &[u8]) -> Option<Vec<u8>>;
    /// Shows up to `limit` pairs of a range, whose end is no part of it, from the end if told.
    fn range(&self, from: &[u8], to: &[u8], from_end: bool, limit: usize, show: impl FnMut(&[u8], &[u8]));
    /// Closes it.
    fn close(self);
}

/// The store.
#[derive(Debug)]
pub struct Raw<K> {
    kv: K,
    seq: AtomicU64,
}

const ROOM: u8 = 1;
const ACTIVITY: u8 = 3;
const MESSAGE: u8 = 4;
const EVENT: u8 = 5;
const TARGET: u8 = 6;
const PENDING: u8 = 9;
const PENDING_TXN: u8 = 10;
const MEDIA: u8 = 12;
const CHUNKS: u8 = 13;
const TOKEN: u8 = 14;

fn at(tag: u8, room: usize, rest: &[u8]) -> Vec<u8> {
    let mut key = vec![tag];
    key.extend((room as u32).to_be_bytes());
    key.extend(rest);
    key
}

fn encode(value: impl serde::Serialize) -> Vec<u8> {
    bincode::serde::encode_to_vec(value, bincode::config::standard()).unwrap()
}

fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> T {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard()).unwrap().0
}

/// A room's row: id, name, last activity.
type RoomRow = (String, Option<String>, i64);

impl<K: Kv> Raw<K> {
    fn page(&self, room: usize, from: u64, to: u64, from_end: bool, limit: usize) -> usize {
        let [from, to] = [from, to].map(|position| at(MESSAGE, room, &position.to_be_bytes()));
        let mut found = Vec::new();
        self.kv.range(&from, &to, from_end, limit, |_, value| found.push(decode::<Made>(value)));
        found.len()
    }

    fn position(&self, room: usize, id: &str) -> Option<u64> {
        let position = self.kv.get(&at(EVENT, room, &key(room, id)))?;
        Some(u64::from_be_bytes(position.try_into().unwrap()))
    }
}

impl<K: Kv> Contender for Raw<K> {
    type Batch = Rows;

    fn open(folder: &Path) -> Self {
        Self { kv: K::open(folder), seq: AtomicU64::new(0) }
    }

    fn put_rooms(&self, rooms: usize) {
        let row = |room| -> RoomRow { (room_id(room), None, room as i64) };
        let rows = |room| {
            [(at(ROOM, room, &[]), Some(encode(row(room)))), (activity(room, room as i64), Some(Vec::new()))]
        };
        self.kv.write((0..rooms).flat_map(rows).collect(), false);
    }

    fn batch(&self, messages: Vec<Made>, token: Option<String>, strict: bool) -> Rows {
        Rows { messages, token, strict }
    }

    fn commit(&self, batch: Rows) {
        let mut writes = Writes::new();
        for made in &batch.messages {
            let position = made.position.to_be_bytes();
            writes.push((at(MESSAGE, made.room, &position), Some(encode(made))));
            writes.push((at(EVENT, made.room, &key(made.room, &made.id)), Some(position.to_vec())));
            if let Some(target) = &made.target {
                let to = [&key(made.room, target)[..], &position].concat();
                writes.push((at(TARGET, made.room, &to), Some(Vec::new())));
            }
        }
        if let (Some(token), Some(last)) = (batch.token, batch.messages.last()) {
            let room_key = at(ROOM, last.room, &[]);
            let (id, _, before): RoomRow = decode(&self.kv.get(&room_key).unwrap());
            writes.push((room_key, Some(encode((id, Some(&token), last.timestamp_ms)))));
            writes.push((activity(last.room, before), None));
            writes.push((activity(last.room, last.timestamp_ms), Some(Vec::new())));
            writes.push((vec![TOKEN], Some(token.into_bytes())));
        }
        self.kv.write(writes, batch.strict);
    }

    fn newest(&self, room: usize, limit: usize) -> usize {
        self.page(room, 0, u64::MAX, true, limit)
    }

    fn older(&self, room: usize, before: u64, limit: usize) -> Option<usize> {
        Some(self.page(room, 0, before, true, limit))
    }

    fn around(&self, room: usize, id: &str, each_side: usize) -> Option<usize> {
        let at = self.position(room, id)?;
        let older = self.page(room, 0, at, true, each_side);
        Some(older + self.page(room, at, u64::MAX, false, each_side + 1))
    }

    fn get(&self, room: usize, id: &str) -> bool {
        let message = |at: u64| self.kv.get(&super::kv::at(MESSAGE, room, &at.to_be_bytes()));
        let found = self.position(room, id).and_then(message);
        found.map(|found| decode::<Made>(&found)).is_some_and(|made| made.id == id)
    }

    fn related(&self, room: usize, id: &str) -> Option<usize> {
        let from = at(TARGET, room, &key(room, id));
        let to = [&from[..], &[0xff; 9]].concat();
        let (mut found, mut positions) = (Vec::new(), Vec::new());
        self.kv.range(&from, &to, false, RELATED, |key, _| positions.push(key[key.len() - 8..].to_vec()));
        for position in positions {
            found.push(decode::<Made>(&self.kv.get(&at(MESSAGE, room, &position)).unwrap()));
        }
        Some(found.len())
    }

    fn rooms(&self, limit: usize) -> Option<usize> {
        let mut rooms = Vec::new();
        self.kv.range(&[ACTIVITY], &[ACTIVITY + 1], false, limit, |key, _| rooms.push(key[9..].to_vec()));
        let row = |room: Vec<u8>| self.kv.get(&[&[ROOM], &room[..]].concat()).unwrap();
        let rooms: Vec<RoomRow> = rooms.into_iter().map(|room| decode(&row(room))).collect();
        Some(rooms.len())
    }

    fn send(&self, made: &Made) -> Option<()> {
        let seq = self.seq.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let (row, txn) = ([&[PENDING], &seq[..]].concat(), [&[PENDING_TXN], made.id.as_bytes()].concat());
        let value = encode((&made.id, made.room, &made.content));
        self.kv.write(vec![(row.clone(), Some(value)), (txn.clone(), Some(seq.to_vec()))], true);
        self.kv.write(vec![(row, None), (txn, None)], false);
        Some(())
    }

    fn put_media(&self, n: usize, bytes: Vec<u8>) -> Option<()> {
        let mut writes = vec![(at(MEDIA, n, &[]), Some(encode((bytes.len(), n))))];
        for (index, chunk) in bytes.chunks(CHUNK).enumerate() {
            writes.push((at(CHUNKS, n, &(index as u64).to_be_bytes()), Some(chunk.to_vec())));
        }
        self.kv.write(writes, false);
        Some(())
    }

    fn media(&self, n: usize, from: u64, bytes: u64) -> Option<usize> {
        let (first, end) = (from as usize / CHUNK, (from + bytes) as usize);
        let bounds = [first, end.div_ceil(CHUNK)].map(|index| at(CHUNKS, n, &(index as u64).to_be_bytes()));
        let (mut read, mut at) = (Vec::with_capacity(bytes as usize), first * CHUNK);
        self.kv.range(&bounds[0], &bounds[1], false, usize::MAX, |_, chunk| {
            let part = (from as usize).saturating_sub(at)..chunk.len().min(end - at);
            read.extend_from_slice(&chunk[part]);
            at += chunk.len();
        });
        Some(read.len())
    }

    fn close(self) {
        self.kv.close();
    }
}

/// The later, the smaller.
fn activity(room: usize, at_ms: i64) -> Vec<u8> {
    let mut key = vec![ACTIVITY];
    key.extend((!(at_ms as u64)).to_be_bytes());
    key.extend((room as u32).to_be_bytes());
    key
}
