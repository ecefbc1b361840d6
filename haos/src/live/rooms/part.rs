use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateKey, StorageAdapter, StorageAdapterExt as _, UserId,
    state_kind,
};

use super::latest::Latest;
use crate::live::timeline::Profile;

/// What a list shows of a room besides its row, as far as it was read.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) latest: Option<Option<Latest>>,
    pub(super) has_draft: Option<bool>,
    pub(super) people: HashMap<UserId, Profile>,
}

impl Part {
    /// Forgets what the room's messages tell.
    pub(super) fn forget_messages(&mut self) {
        self.latest = None;
    }

    /// Forgets what the room's state tells.
    pub(super) fn forget_state(&mut self) {
        self.has_draft = None;
        self.people.clear();
    }

    /// Reads what is missing; `has_messages` is false where none are shown.
    pub(super) async fn fill(
        mut self,
        store: Arc<dyn StorageAdapter>,
        room: RoomId,
        has_messages: bool,
    ) -> Result<(RoomId, Self)> {
        if self.latest.is_none() && has_messages {
            self.latest = Some(Latest::read(&*store, &room).await?);
        }
        if self.has_draft.is_none() {
            self.has_draft = Some(value(&*store, &room, state_kind::DRAFT, "").await?.is_some());
        }
        Ok((room, self))
    }

    /// Reads the profiles of people.
    pub(super) async fn meet(
        mut self,
        store: Arc<dyn StorageAdapter>,
        room: RoomId,
        people: BTreeSet<UserId>,
    ) -> Result<(RoomId, Self)> {
        for user in people {
            let profile = profile(&*store, &room, &user).await?;
            self.people.insert(user, profile);
        }
        Ok((room, self))
    }
}

/// Reads somebody's name and picture in a room: by their member event, or else as the server tells who a room without
/// a name is named after.
async fn profile(store: &dyn StorageAdapter, room: &RoomId, user: &UserId) -> Result<Profile> {
    if let Some(event) = value(store, room, "m.room.member", user.as_str()).await? {
        return Ok(Profile::of(user, event.member("content").as_ref()));
    }
    let heroes = value(store, room, "haos.summary", "heroes").await?;
    let heroes: Vec<Json> = heroes.and_then(|heroes| heroes.parse().ok()).unwrap_or_default();
    let is_it = |hero: &&Json| hero.text("user_id").as_deref() == Some(user.as_str());
    Ok(Profile::of(user, heroes.iter().find(is_it)))
}

async fn value(store: &dyn StorageAdapter, room: &RoomId, kind: &str, key: &str) -> Result<Option<Json>> {
    // A user's id can be a key: both have the same limit.
    store.state_value(Scope::Room(room.clone()), &EventType::new(kind)?, &StateKey::new(key)?).await
}
