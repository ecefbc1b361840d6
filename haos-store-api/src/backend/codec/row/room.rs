use super::super::body::RoomBody;
use super::super::frame::own_key;
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

/// A room: `revision` and `last_activity_ms` stay columns.
#[derive(Debug, Clone)]
pub struct RoomRow {
    /// Its key.
    pub key: Key,
    /// The other fields.
    pub payload: Payload,
}

impl Codec {
    /// Makes the row of a room.
    pub fn room_row(&self, room: &Room) -> Result<RoomRow> {
        let key = self.room_key(&room.id);
        let body = RoomBody {
            room_id: room.id.clone(),
            membership: room.membership,
            name: room.name.clone(),
            topic: room.topic.clone(),
            avatar: room.avatar.clone(),
            kind: room.kind.clone(),
            spaces: room.spaces.clone(),
            unread: room.unread,
        };
        let Room { last_activity_ms, revision, .. } = *room;
        let payload = self.seal(&RowRef::Room { key: &key, last_activity_ms, revision }, &body)?;
        Ok(RoomRow { key, payload })
    }

    /// Reads the room of a row.
    ///
    /// # Errors
    /// `Corrupt` for bytes that this codec did not write; the same holds for every reader below.
    pub fn room(&self, key: &Key, last_activity_ms: i64, revision: Revision, payload: &[u8]) -> Result<Room> {
        let row = &RowRef::Room { key, last_activity_ms, revision };
        let body: RoomBody = self.open(row, payload)?;
        own_key(self, row, || self.room_key(&body.room_id))?;
        Ok(Room {
            id: body.room_id,
            name: body.name,
            topic: body.topic,
            avatar: body.avatar,
            kind: body.kind,
            membership: body.membership,
            spaces: body.spaces,
            last_activity_ms,
            unread: body.unread,
            revision,
        })
    }
}
