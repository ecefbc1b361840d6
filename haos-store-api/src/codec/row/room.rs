use super::super::body::RoomBody;
use super::super::{Bound, Codec, Key, Payload};
use crate::*;

/// A room: `revision` and `last_activity_ms` stay columns.
#[derive(Debug, Clone)]
pub struct RoomRow {
    /// Its key.
    pub key: Key,
    /// The rest.
    pub payload: Payload,
}

impl Codec {
    /// The row of a room.
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
        let columns = columns(room.last_activity_ms, room.revision);
        Ok(RoomRow { key, payload: self.seal(&Bound::new(Collection::Rooms, &key, &columns), &body)? })
    }

    /// The room of a row.
    ///
    /// # Errors
    /// `Corrupt` for bytes that this codec did not write; so for every reader below.
    pub fn room(&self, key: &Key, last_activity_ms: i64, revision: Revision, payload: &[u8]) -> Result<Room> {
        let columns = columns(last_activity_ms, revision);
        let body: RoomBody = self.open(&Bound::new(Collection::Rooms, key, &columns), payload)?;
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

fn columns(last_activity_ms: i64, revision: Revision) -> [i64; 2] {
    [last_activity_ms, revision.0 as i64]
}
