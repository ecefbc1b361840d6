use haos_store_api::backend::kv::{Columns, Cut, corrupt};
use haos_store_api::backend::law::RoomRows;
use haos_store_api::backend::*;
use haos_store_api::*;

use super::super::kv::Table;
use super::super::rows::EngineRows;

/// Key, activity and revision stand before the payload.
const COLUMNS: usize = 16 + 8 + 8;

/// Reads the room of a value.
pub(crate) fn read_room_row(codec: &Codec, value: &[u8]) -> Result<Room> {
    let mut cut = Cut(value);
    let (key, activity, revision) = (cut.key()?, cut.int()?, cut.revision()?);
    codec.room(&key, activity, revision, cut.0)
}

impl EngineRows<'_> {
    pub(crate) fn read_room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        let key = self.codec.room_key(id);
        let Some(value) = self.view.get(Table::Rooms, key.as_bytes())? else { return Ok(None) };
        let room = read_room_row(self.codec, &value)?;
        if room.id != *id {
            return Err(corrupt("apply", "a room stands under another's key"));
        }
        Ok(Some(room))
    }

    pub(crate) fn put_room(&mut self, room: &Room) -> Result<()> {
        let row = self.codec.room_row(room)?;
        let key = row.key.as_bytes();
        if let Some(old) = self.view.get(Table::Rooms, key)? {
            self.view.draft.head.sums.shrink(Collection::Rooms, old.len().saturating_sub(COLUMNS) as u64);
        }
        let payload = row.payload.as_bytes();
        let value = Columns::of(key).int(room.last_activity_ms).count(room.revision.0).end(payload);
        self.view.draft.head.sums.grow(Collection::Rooms, payload.len() as u64);
        self.view.set(Table::Rooms, key, Some(value));
        Ok(())
    }

    pub(crate) fn drop_room(&mut self, key: &Key) -> Result<()> {
        if let Some(old) = self.view.get(Table::Rooms, key.as_bytes())? {
            self.view.draft.head.sums.shrink(Collection::Rooms, old.len().saturating_sub(COLUMNS) as u64);
            self.view.set(Table::Rooms, key.as_bytes(), None);
        }
        Ok(())
    }
}

impl RoomRows for EngineRows<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        let found = self.read_room(id);
        // A damaged row counts as absent: the sync that brings the room writes it again.
        Ok(self.codec.keep(found)?.flatten())
    }

    fn write_room(&mut self, room: &Room) -> Result<()> {
        self.put_room(room)
    }

    fn delete_room(&mut self, id: &RoomId) -> Result<()> {
        let key = self.room_key(id);
        self.drop_gaps(&key, Position::MIN, Position::MAX)?;
        self.drop_states(&Scope::Room(id.clone()))?;
        self.view.drop_run(&key, Position::MIN, Position::MAX)?;
        self.drop_room(&key)
    }
}
