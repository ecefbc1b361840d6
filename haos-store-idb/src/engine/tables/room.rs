use haos_store_api::{Codec, Collection, Key, Result, Room, RoomId};

use super::super::kv::Table;
use super::super::record::{Columns, Cut, corrupt};
use super::super::rows::EngineRows;

/// Key, activity and revision stand before the payload.
const COLUMNS: usize = 16 + 8 + 8;

/// The room of a value.
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
            self.view.draft.head.shrink(Collection::Rooms, old.len().saturating_sub(COLUMNS) as u64);
        }
        let payload = row.payload.as_bytes();
        let value = Columns::of(key).int(room.last_activity_ms).count(room.revision.0).end(payload);
        self.view.draft.head.grow(Collection::Rooms, payload.len() as u64);
        self.view.set(Table::Rooms, key, Some(value));
        Ok(())
    }

    pub(crate) fn drop_room(&mut self, key: &Key) -> Result<()> {
        if let Some(old) = self.view.get(Table::Rooms, key.as_bytes())? {
            self.view.draft.head.shrink(Collection::Rooms, old.len().saturating_sub(COLUMNS) as u64);
            self.view.set(Table::Rooms, key.as_bytes(), None);
        }
        Ok(())
    }
}
