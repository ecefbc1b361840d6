use haos_store_api::{Membership, RoomId, StorageAdapter as _};
use serde::Serialize;

use super::Room;
use crate::error::{Error, Result};

/// A room as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RoomInfo {
    /// Its id.
    pub id: RoomId,
    /// Its name, or that of its people, if it is known.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// The uri of its picture.
    pub avatar: Option<String>,
    /// True for a space.
    pub is_space: bool,
    /// The spaces that it belongs to.
    pub spaces: Vec<RoomId>,
    /// The own user's relation to it.
    pub membership: Membership,
    /// Messages that notify.
    pub unread: u64,
    /// Messages that mention the user.
    pub mentions: u64,
    /// The time of the latest activity, in milliseconds since 1970.
    pub last_activity_ms: i64,
}

impl Room {
    /// Reads what the store has of it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a room that the store does not know yet; those of the store.
    pub async fn info(&self) -> Result<RoomInfo> {
        let found = self.chat.store().room(&self.id).await?;
        let room = found.ok_or_else(|| Error::NotFound { what: format!("the room {}", self.id) })?;
        Ok(RoomInfo {
            is_space: room.kind.is_some_and(|kind| kind.as_str() == "m.space"),
            id: room.id,
            name: room.name,
            topic: room.topic,
            avatar: room.avatar,
            spaces: room.spaces,
            membership: room.membership,
            unread: room.unread.notifications,
            mentions: room.unread.highlights,
            last_activity_ms: room.last_activity_ms,
        })
    }
}
