use haos_store_api::{Json, Result, RoomId, Scope, StorageAdapterExt as _};

use super::Engine;
use crate::parse::{known_key, known_kind};

/// Rooms that take each other's place (specification, "Room upgrades"). Only the store is asked.
impl Engine {
    /// The room that took this one's place, as its `m.room.tombstone` says.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn successor(&self, room: &RoomId) -> Result<Option<RoomId>> {
        let content = self.content(room, "m.room.tombstone").await?;
        Ok(content.and_then(|content| RoomId::new(content.text("replacement_room")?).ok()))
    }

    /// The room whose place this one took, as its `m.room.create` says. Whether that room points here is
    /// for [`Engine::successor`] to say: anybody can claim a predecessor.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn predecessor(&self, room: &RoomId) -> Result<Option<RoomId>> {
        let content = self.content(room, "m.room.create").await?;
        let predecessor = content.and_then(|content| content.member("predecessor"));
        Ok(predecessor.and_then(|room| RoomId::new(room.text("room_id")?).ok()))
    }

    async fn content(&self, room: &RoomId, kind: &'static str) -> Result<Option<Json>> {
        let scope = Scope::Room(room.clone());
        let value = self.inner.store.state_value(scope, &known_kind(kind), &known_key("")).await?;
        Ok(value.and_then(|event| event.member("content")))
    }
}
