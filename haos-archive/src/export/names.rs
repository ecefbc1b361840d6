use std::collections::BTreeMap;

use haos_store_api::{Result, RoomId, Scope, StateKey, StateQuery, StorageAdapter, UserId};

use super::Shows;

/// The most names that are kept for a room.
const MOST: usize = 4096;

/// The members' names of a room, as they are now.
pub(super) struct Names<'s> {
    shows: &'s dyn Shows,
    room: RoomId,
    known: BTreeMap<UserId, String>,
}

impl<'s> Names<'s> {
    pub(super) fn new(shows: &'s dyn Shows, room: RoomId) -> Self {
        Self { shows, room, known: BTreeMap::new() }
    }

    /// Returns the name of a user, or the id.
    pub(super) async fn of(&mut self, store: &dyn StorageAdapter, user: &UserId) -> Result<String> {
        if let Some(name) = self.known.get(user) {
            return Ok(name.clone());
        }
        let name = self.read(store, user).await?.unwrap_or_else(|| user.to_string());
        if self.known.len() >= MOST {
            self.known.clear();
        }
        self.known.insert(user.clone(), name.clone());
        Ok(name)
    }

    async fn read(&self, store: &dyn StorageAdapter, user: &UserId) -> Result<Option<String>> {
        let (Some(kind), Ok(key)) = (self.shows.member_kind(), StateKey::new(user.as_str())) else {
            return Ok(None);
        };
        let entries = store.state(StateQuery::one(Scope::Room(self.room.clone()), kind, key)).await?;
        Ok(entries.first().and_then(|entry| self.shows.member_name(&entry.value)))
    }
}
