//! The rows, and the laws' way to them. Nothing here knows the meaning of a write.

use std::collections::BTreeMap;

use haos_store_api::backend::law::{Inserted, MediaRows, OutboxRows, RoomRows, StateRows, TimelineRows};
use haos_store_api::*;

type StateName = (Scope, EventType, StateKey);

/// Every row. A transaction works on a copy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tables {
    pub(crate) revision: Revision,
    pub(crate) last_seq: u64,
    pub(crate) rooms: BTreeMap<RoomId, Room>,
    pub(crate) messages: BTreeMap<(RoomId, Position), Message>,
    pub(crate) gaps: BTreeMap<(RoomId, Position), Gap>,
    pub(crate) pending: BTreeMap<u64, Pending>,
    pub(crate) media: BTreeMap<MediaKey, (MediaInfo, Vec<u8>)>,
    pub(crate) state: BTreeMap<StateName, StateEntry>,
}

impl Tables {
    pub(crate) fn messages_of<'a>(&'a self, room: &'a RoomId) -> impl Iterator<Item = &'a Message> {
        self.messages.values().filter(move |message| message.room == *room)
    }

    pub(crate) fn gaps_of<'a>(&'a self, room: &'a RoomId) -> impl Iterator<Item = &'a Gap> {
        self.gaps.values().filter(move |gap| gap.room == *room)
    }

    pub(crate) fn find(&self, room: &RoomId, event: &EventId) -> Option<&Message> {
        self.messages.values().find(|message| message.room == *room && message.id == *event)
    }
}

impl RoomRows for Tables {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        Ok(self.rooms.get(id).cloned())
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        self.rooms.insert(room.id.clone(), room.clone());
        Ok(())
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        self.rooms.remove(id);
        self.state.retain(|(scope, ..), _| *scope != Scope::Room(id.clone()));
        self.delete_span(id, Position::MIN, Position::MAX)
    }
}

impl TimelineRows for Tables {
    fn insert_message(&mut self, message: &Message) -> Result<Inserted> {
        if let Some(stored) = self.find(&message.room, &message.id) {
            return Ok(Inserted::Exists(Box::new(stored.clone())));
        }
        if self.is_taken(&message.room, message.position)? {
            return Ok(Inserted::Taken);
        }
        self.messages.insert((message.room.clone(), message.position), message.clone());
        Ok(Inserted::Done)
    }

    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>> {
        Ok(self.find(room, event).cloned())
    }

    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool> {
        Ok(self.messages.contains_key(&(room.clone(), position)))
    }

    fn update_message(&mut self, at: Position, message: &Message) -> Result<()> {
        self.delete_message(&message.room, at)?;
        self.messages.insert((message.room.clone(), message.position), message.clone());
        Ok(())
    }

    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()> {
        self.messages.remove(&(room.clone(), at));
        Ok(())
    }

    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>> {
        Ok(self.messages_of(room).map(|message| message.position).collect())
    }

    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()> {
        let stays = |(of, at): &(RoomId, Position)| of != room || *at < oldest || *at > newest;
        self.messages.retain(|place, _| stays(place));
        self.gaps.retain(|place, _| stays(place));
        Ok(())
    }

    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()> {
        // All leave before any arrives: positions may be swapped.
        let mut leave = |from| {
            let place = (room.clone(), from);
            (self.messages.remove(&place), self.gaps.remove(&place))
        };
        let moved: Vec<_> = moves.iter().map(|(from, to)| (leave(*from), *to)).collect();
        for ((message, gap), position) in moved {
            let place = (room.clone(), position);
            self.messages.extend(message.map(|message| (place.clone(), Message { position, ..message })));
            self.gaps.extend(gap.map(|gap| (place, Gap { position, revision, ..gap })));
        }
        Ok(())
    }

    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>> {
        Ok(self.gaps_of(room).cloned().collect())
    }

    fn write_gap(&mut self, gap: &Gap) -> Result<()> {
        self.gaps.insert((gap.room.clone(), gap.position), gap.clone());
        Ok(())
    }

    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()> {
        self.gaps.remove(&(room.clone(), position));
        Ok(())
    }
}

impl OutboxRows for Tables {
    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>> {
        Ok(self.pending.values().find(|row| row.txn_id == *txn_id).cloned())
    }

    fn all_pending(&mut self) -> Result<Vec<Pending>> {
        Ok(self.pending.values().cloned().collect())
    }

    fn next_seq(&mut self) -> Result<u64> {
        self.last_seq += 1;
        Ok(self.last_seq)
    }

    fn write_pending(&mut self, pending: &Pending) -> Result<()> {
        self.pending.insert(pending.seq, pending.clone());
        Ok(())
    }

    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()> {
        self.pending.retain(|_, row| row.txn_id != *txn_id);
        Ok(())
    }
}

impl MediaRows for Tables {
    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>> {
        Ok(self.media.get(key).map(|(info, _)| info.clone()))
    }

    fn all_media(&mut self) -> Result<Vec<MediaInfo>> {
        Ok(self.media.values().map(|(info, _)| info.clone()).collect())
    }

    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>> {
        Ok(self.media.get(key).map(|(_, bytes)| bytes.clone()).unwrap_or_default())
    }

    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()> {
        let item = self.media.entry(info.key.clone()).or_insert_with(|| (info.clone(), Vec::new()));
        item.0 = info.clone();
        Ok(())
    }

    fn append_media(&mut self, key: &MediaKey, _at: u64, bytes: &[u8]) -> Result<()> {
        if let Some((_, stored)) = self.media.get_mut(key) {
            stored.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()> {
        if let Some((_, bytes)) = self.media.remove(from) {
            self.media.insert(to.key.clone(), (to.clone(), bytes));
        }
        Ok(())
    }

    fn delete_media(&mut self, key: &MediaKey) -> Result<bool> {
        Ok(self.media.remove(key).is_some())
    }
}

impl StateRows for Tables {
    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>> {
        Ok(self.state.get(&(scope.clone(), kind.clone(), key.clone())).cloned())
    }

    fn write_state(&mut self, entry: &StateEntry) -> Result<()> {
        let name = (entry.scope.clone(), entry.kind.clone(), entry.key.clone());
        self.state.insert(name, entry.clone());
        Ok(())
    }

    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool> {
        Ok(self.state.remove(&(scope.clone(), kind.clone(), key.clone())).is_some())
    }
}
