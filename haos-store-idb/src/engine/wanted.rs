//! What a batch names, loaded together before the laws run.

use haos_store_api::backend::{Codec, Key, SortedSet};
use haos_store_api::{MediaKey, Op, Position, Precondition, RoomId, Scope, WriteBatch};

use super::keys::{self, Bucket, RoomKeys};
use super::kv::{Span, Table};
use super::memory::Memory;
use super::tables::state_place;
use super::view::Fault;

/// Lists what the batch names and the memory lacks.
pub(crate) fn wanted(memory: &Memory, codec: &Codec, batch: &WriteBatch) -> Vec<Fault> {
    let mut wanted = Wanted {
        memory,
        codec,
        faults: SortedSet::new(),
        rooms: RoomKeys::new(codec),
        looked: SortedSet::new(),
        places: SortedSet::new(),
    };
    for precondition in batch.preconditions() {
        match precondition {
            Precondition::Room(room, _) => wanted.room(room),
            Precondition::Pending(txn, _) => wanted.pending(&codec.txn_key(txn)),
            Precondition::Gap(room, ..) => wanted.gaps(room),
            Precondition::State(scope, kind, key, _) => {
                wanted.record(Table::State, state_place(codec, scope, kind, key));
            }
        }
    }
    for op in batch.ops() {
        wanted.op(op);
    }
    wanted.places();
    wanted.faults.into_iter().collect()
}

struct Wanted<'a> {
    memory: &'a Memory,
    codec: &'a Codec,
    faults: SortedSet<Fault>,
    rooms: RoomKeys<'a>,
    /// The rooms whose timelines were looked at.
    looked: SortedSet<Key>,
    /// The buckets of the named positions.
    places: SortedSet<(Key, Bucket)>,
}

impl Wanted<'_> {
    fn op(&mut self, op: &Op) {
        match op {
            Op::PutRoom(room) => self.room(&room.id),
            Op::PutMessage(message) => {
                let room = self.timeline(&message.room);
                self.place(room, message.position);
            }
            Op::RemoveMessage(id, _) => drop(self.timeline(id)),
            Op::Redact(redact) => drop(self.timeline(&redact.room)),
            Op::RemoveRoom(id) | Op::RemoveGap(id, _) => {
                self.room(id);
                self.gaps(id);
            }
            Op::Prune(prune) => {
                self.room(&prune.room);
                self.gaps(&prune.room);
            }
            Op::PutGap(gap) => {
                self.room(&gap.room);
                self.gaps(&gap.room);
                let room = self.room_key(&gap.room);
                self.place(room, gap.position);
            }
            Op::Renumber(id, moves) => {
                let room = self.timeline(id);
                for (from, to) in moves {
                    self.place(room, *from);
                    self.place(room, *to);
                }
            }
            Op::PutPending(row) => self.pending(&self.codec.txn_key(&row.txn_id)),
            Op::RemovePending(txn_id) => self.pending(&self.codec.txn_key(txn_id)),
            Op::PutMedia(info, _) => self.media(&info.key),
            Op::AppendMedia { key, .. } | Op::PinMedia(key, _) | Op::RemoveMedia(key) => self.media(key),
            Op::RenameMedia(from, to) => {
                self.media(from);
                self.media(to);
            }
            Op::TouchMedia(keys, _) => keys.iter().for_each(|key| self.media(key)),
            Op::EvictMedia(..) => self.scan(Table::Media, Span::prefix(&[])),
            Op::PutState(entry) => {
                if let Scope::Room(room) = &entry.scope {
                    self.room(room);
                }
                self.record(Table::State, state_place(self.codec, &entry.scope, &entry.kind, &entry.key));
            }
            Op::RemoveState(scope, kind, key) => {
                self.record(Table::State, state_place(self.codec, scope, kind, key));
            }
        }
    }

    fn room_key(&mut self, room: &RoomId) -> Key {
        self.rooms.of(room)
    }

    fn want(&mut self, fault: Fault) {
        self.faults.insert(fault);
    }

    fn record(&mut self, table: Table, key: Vec<u8>) {
        let is_known = self.memory.tables.get(table, &key).is_some();
        if !is_known && !self.memory.tail.records.contains_key(&(table, key.clone())) {
            self.want(Fault::Get(table, key));
        }
    }

    fn scan(&mut self, table: Table, span: Span) {
        if !self.memory.tables.covers(table, &span) {
            self.want(Fault::Scan(table, span));
        }
    }

    fn room(&mut self, room: &RoomId) {
        let key = self.room_key(room);
        self.record(Table::Rooms, key.as_bytes().to_vec());
    }

    fn gaps(&mut self, room: &RoomId) {
        let key = self.room_key(room);
        self.scan(Table::Gaps, keys::gaps(&key));
    }

    /// Wants what changes of messages look at.
    fn timeline(&mut self, room: &RoomId) -> Key {
        let key = self.room_key(room);
        if self.looked.insert(key) {
            self.room(room);
            self.gaps(room);
            if self.memory.tables.ids(&key).is_none() {
                self.want(Fault::Ids(key));
            }
        }
        key
    }

    fn place(&mut self, room: Key, at: Position) {
        self.places.insert((room, Bucket::of(at)));
    }

    fn places(&mut self) {
        let unknown =
            self.places.iter().filter(|(room, bucket)| !self.memory.tables.spans(room, *bucket, *bucket));
        for (room, oldest, newest) in keys::near(unknown) {
            self.faults.insert(Fault::Newest(room, oldest, newest));
        }
    }

    fn pending(&mut self, key: &Key) {
        self.record(Table::OutboxIds, key.as_bytes().to_vec());
    }

    fn media(&mut self, key: &MediaKey) {
        let key = self.codec.media_key(key);
        self.record(Table::Media, key.as_bytes().to_vec());
    }
}
