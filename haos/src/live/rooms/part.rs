use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use haos_store_api::{
    EventType, Json, Result, RoomId, Scope, StateKey, StorageAdapter, StorageAdapterExt as _, UserId,
    state_kind,
};
use serde_json::Value;

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
    let text = |json: &Json, name| json.text(name).filter(|text| !text.trim().is_empty());
    if let Some(event) = value(store, room, "m.room.member", user.as_str()).await? {
        let content = event.member("content").unwrap_or_else(Json::empty);
        let (name, avatar) = (text(&content, "displayname"), text(&content, "avatar_url"));
        return Ok(Profile { id: user.clone(), name, avatar });
    }
    let heroes = value(store, room, "haos.summary", "heroes").await?;
    let heroes: Vec<Value> = heroes.and_then(|heroes| heroes.parse().ok()).unwrap_or_default();
    let hero = heroes.iter().find(|hero| hero["user_id"] == user.as_str());
    let text = |name: &str| Some(hero?[name].as_str()?.to_owned()).filter(|text| !text.trim().is_empty());
    Ok(Profile { id: user.clone(), name: text("displayname"), avatar: text("avatar_url") })
}

async fn value(store: &dyn StorageAdapter, room: &RoomId, kind: &str, key: &str) -> Result<Option<Json>> {
    // A user's id can be a key: both have the same limit.
    store.state_value(Scope::Room(room.clone()), &EventType::new(kind)?, &StateKey::new(key)?).await
}
