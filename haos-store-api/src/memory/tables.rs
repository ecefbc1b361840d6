//! The rows themselves, with their indexes, and the journal that takes a failed batch back.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::{
    Key, Links, MediaColumns, MessageColumns, Payload, PendingColumns, Position, Revision, StateColumns,
};

/// A message's or a gap's place: its room, then its position.
pub(super) type Place = (Key, Position);
/// A state entry's place: scope, kind, key.
pub(super) type StatePlace = (Key, Key, Key);

#[derive(Debug)]
pub(super) struct RoomRecord {
    pub(super) last_activity_ms: i64,
    pub(super) revision: Revision,
    pub(super) payload: Payload,
}

#[derive(Debug)]
pub(super) struct MessageRecord {
    pub(super) event: Key,
    pub(super) sender: Key,
    pub(super) target: Option<Key>,
    pub(super) txn: Option<Key>,
    pub(super) timestamp_ms: i64,
    pub(super) written: Revision,
    pub(super) payload: Payload,
}

#[derive(Debug)]
pub(super) struct GapRecord {
    pub(super) revision: Revision,
    pub(super) payload: Payload,
}

#[derive(Debug)]
pub(super) struct PendingRecord {
    pub(super) txn: Key,
    pub(super) room: Key,
    pub(super) not_before_ms: i64,
    pub(super) revision: Revision,
    pub(super) payload: Payload,
}

#[derive(Debug)]
pub(super) struct MediaRecord {
    /// The number its chunks are stored under; a rename keeps it.
    pub(super) blob: u64,
    pub(super) size: u64,
    pub(super) last_access_ms: i64,
    pub(super) pinned: bool,
    pub(super) written: Revision,
    pub(super) payload: Payload,
}

#[derive(Debug)]
pub(super) struct StateRecord {
    pub(super) written: Revision,
    pub(super) payload: Payload,
}

impl MessageRecord {
    pub(super) fn columns(&self, position: Position) -> MessageColumns {
        let links = Links::of(&self.sender, self.target.as_ref(), self.txn.as_ref());
        MessageColumns { position, timestamp_ms: self.timestamp_ms, written: self.written, links }
    }
}

impl PendingRecord {
    pub(super) fn columns(&self, seq: u64) -> PendingColumns {
        let room = Some(self.room.short());
        PendingColumns { seq, room, not_before_ms: self.not_before_ms, revision: self.revision }
    }
}

impl StateRecord {
    pub(super) fn columns(&self, (scope, kind, key): StatePlace) -> StateColumns {
        StateColumns { scope, kind: kind.short(), key, written: self.written }
    }
}

impl MediaRecord {
    pub(super) fn columns(&self) -> MediaColumns {
        MediaColumns {
            blob: self.blob,
            size: self.size,
            last_access_ms: self.last_access_ms,
            pinned: self.pinned,
            written: self.written,
        }
    }
}

/// What a write replaced; `None`: nothing was there.
#[derive(Debug)]
pub(super) enum Undo {
    Room(Key, Option<RoomRecord>),
    Message(Place, Option<MessageRecord>),
    Gap(Place, Option<GapRecord>),
    Pending(u64, Option<PendingRecord>),
    Media(Key, Option<MediaRecord>),
    Chunk((u64, u64), Option<Payload>),
    State(StatePlace, Option<StateRecord>),
    Seq(u64),
    Blob(u64),
}

/// Every row. Writes go through the `set_…` functions, which keep the indexes and tell what they replaced.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) revision: Revision,
    pub(super) last_seq: u64,
    pub(super) last_blob: u64,
    pub(super) rooms: BTreeMap<Key, RoomRecord>,
    pub(super) rooms_by_activity: BTreeSet<(Reverse<i64>, Key)>,
    pub(super) messages: BTreeMap<Place, MessageRecord>,
    pub(super) by_event: BTreeMap<Key, Position>,
    pub(super) by_target: BTreeSet<(Key, Position)>,
    pub(super) by_sender: BTreeSet<(Key, Position)>,
    pub(super) by_txn: BTreeSet<(Key, Place)>,
    pub(super) by_time: BTreeSet<(Key, i64, Position)>,
    pub(super) gaps: BTreeMap<Place, GapRecord>,
    pub(super) pending: BTreeMap<u64, PendingRecord>,
    pub(super) pending_by_txn: BTreeMap<Key, u64>,
    pub(super) pending_by_room: BTreeSet<(Key, u64)>,
    pub(super) media: BTreeMap<Key, MediaRecord>,
    pub(super) chunks: BTreeMap<(u64, u64), Payload>,
    pub(super) state: BTreeMap<StatePlace, StateRecord>,
}

/// Sets or clears a map's entry; returns the one before.
fn swap<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}

impl Tables {
    pub(super) fn set_room(&mut self, key: Key, record: Option<RoomRecord>) -> Undo {
        if let Some(new) = &record {
            let stale = self.rooms.get(&key).map(|old| (Reverse(old.last_activity_ms), key));
            stale.map(|entry| self.rooms_by_activity.remove(&entry));
            self.rooms_by_activity.insert((Reverse(new.last_activity_ms), key));
        } else if let Some(old) = self.rooms.get(&key) {
            self.rooms_by_activity.remove(&(Reverse(old.last_activity_ms), key));
        }
        Undo::Room(key, swap(&mut self.rooms, key, record))
    }

    pub(super) fn set_message(&mut self, place: Place, record: Option<MessageRecord>) -> Undo {
        let (room, position) = place;
        if let Some(old) = self.messages.remove(&place) {
            self.by_event.remove(&old.event);
            self.by_sender.remove(&(old.sender, position));
            self.by_time.remove(&(room, old.timestamp_ms, position));
            old.target.map(|target| self.by_target.remove(&(target, position)));
            old.txn.map(|txn| self.by_txn.remove(&(txn, place)));
            self.index_message(place, record);
            return Undo::Message(place, Some(old));
        }
        self.index_message(place, record);
        Undo::Message(place, None)
    }

    fn index_message(&mut self, place: Place, record: Option<MessageRecord>) {
        let Some(new) = record else { return };
        let (room, position) = place;
        self.by_event.insert(new.event, position);
        self.by_sender.insert((new.sender, position));
        self.by_time.insert((room, new.timestamp_ms, position));
        new.target.map(|target| self.by_target.insert((target, position)));
        new.txn.map(|txn| self.by_txn.insert((txn, place)));
        self.messages.insert(place, new);
    }

    pub(super) fn set_gap(&mut self, place: Place, record: Option<GapRecord>) -> Undo {
        Undo::Gap(place, swap(&mut self.gaps, place, record))
    }

    pub(super) fn set_pending(&mut self, seq: u64, record: Option<PendingRecord>) -> Undo {
        if let Some(old) = self.pending.get(&seq) {
            self.pending_by_txn.remove(&old.txn);
            self.pending_by_room.remove(&(old.room, seq));
        }
        if let Some(new) = &record {
            self.pending_by_txn.insert(new.txn, seq);
            self.pending_by_room.insert((new.room, seq));
        }
        Undo::Pending(seq, swap(&mut self.pending, seq, record))
    }

    pub(super) fn set_media(&mut self, key: Key, record: Option<MediaRecord>) -> Undo {
        Undo::Media(key, swap(&mut self.media, key, record))
    }

    pub(super) fn set_chunk(&mut self, place: (u64, u64), payload: Option<Payload>) -> Undo {
        Undo::Chunk(place, swap(&mut self.chunks, place, payload))
    }

    pub(super) fn set_state(&mut self, place: StatePlace, payload: Option<StateRecord>) -> Undo {
        Undo::State(place, swap(&mut self.state, place, payload))
    }

    pub(super) fn set_seq(&mut self, seq: u64) -> Undo {
        Undo::Seq(std::mem::replace(&mut self.last_seq, seq))
    }

    pub(super) fn set_blob(&mut self, blob: u64) -> Undo {
        Undo::Blob(std::mem::replace(&mut self.last_blob, blob))
    }

    /// Takes writes back, the latest first.
    pub(super) fn roll_back(&mut self, journal: Vec<Undo>) {
        for undo in journal.into_iter().rev() {
            match undo {
                Undo::Room(key, old) => self.set_room(key, old),
                Undo::Message(place, old) => self.set_message(place, old),
                Undo::Gap(place, old) => self.set_gap(place, old),
                Undo::Pending(seq, old) => self.set_pending(seq, old),
                Undo::Media(key, old) => self.set_media(key, old),
                Undo::Chunk(place, old) => self.set_chunk(place, old),
                Undo::State(place, old) => self.set_state(place, old),
                Undo::Seq(old) => self.set_seq(old),
                Undo::Blob(old) => self.set_blob(old),
            };
        }
    }
}

/// Every place of a room.
pub(super) fn whole(room: Key) -> std::ops::RangeInclusive<Place> {
    (room, Position::MIN)..=(room, Position::MAX)
}
