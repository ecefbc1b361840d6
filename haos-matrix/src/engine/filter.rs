use haos_store_api::{
    Json, Result, Scope, StateEntry, StorageAdapter, StorageAdapterExt as _, UserId, WriteBatch, state_kind,
};
use serde_json::json;

use crate::parse::{digest, known_key, known_kind};

/// The parts that a server leaves out of its answers (specification, client-server API, "Filtering").
///
/// Receipts and all account data come; presence does not, nor typing unless it is asked for: they are over before they
/// could be read again, and each ends a waiting request. Rooms are never left out: after a lost token, a room of which
/// the server says nothing is one that the user is no longer in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncFilter {
    /// The newest events a room and answer (20). What is older is behind a gap.
    pub timeline_limit: u32,
    /// Of members, only those who wrote something that comes along (on).
    pub lazy_members: bool,
    /// Rooms that the user has left, in a sync without a token (off).
    pub include_leave: bool,
    /// Who is typing (off): see [`Engine::typing`](crate::Engine::typing).
    pub typing: bool,
}

impl Default for SyncFilter {
    fn default() -> Self {
        Self { timeline_limit: 20, lazy_members: true, include_leave: false, typing: false }
    }
}

impl SyncFilter {
    /// The filter as the server takes it.
    pub fn to_json(self) -> Json {
        self.json(match self.typing {
            true => json!({ "types": ["m.receipt", "m.typing"] }),
            false => json!({ "types": ["m.receipt"] }),
        })
    }

    /// The filter for an answer as small as there can be: the newest event of a room, and no receipts.
    pub(super) fn slim(self) -> Json {
        let slim = Self { timeline_limit: 1, lazy_members: true, ..Self::default() };
        slim.json(json!({ "not_types": ["*"] }))
    }

    fn json(self, ephemeral: serde_json::Value) -> Json {
        let Self { timeline_limit, lazy_members, include_leave, .. } = self;
        let filter = json!({
            "presence": { "not_types": ["*"] },
            "room": {
                "ephemeral": ephemeral,
                "include_leave": include_leave,
                "state": { "lazy_load_members": lazy_members },
                "timeline": { "lazy_load_members": lazy_members, "limit": timeline_limit },
            },
        });
        Json::of(&filter).unwrap_or_else(|_| Json::empty())
    }

    /// The entry that keeps the id which the server gave it: of kind [`state_kind::FILTER_ID`].
    fn entry(self, user: &UserId, id: &str) -> Result<StateEntry> {
        let key = digest(&format!("{user} {}", self.to_json().as_str()));
        Ok(StateEntry {
            scope: Scope::Account,
            kind: known_kind(state_kind::FILTER_ID),
            key: known_key(&key),
            event_id: None,
            value: Json::of(id)?,
        })
    }

    /// The id that an earlier upload gave, if the store has it.
    pub(super) async fn stored(self, store: &dyn StorageAdapter, user: &UserId) -> Result<Option<String>> {
        let StateEntry { scope, kind, key, .. } = self.entry(user, "")?;
        let value = store.state_value(scope, &kind, &key).await?;
        Ok(value.and_then(|id| id.parse().ok()))
    }

    /// Keeps the id of an upload.
    pub(super) async fn keep(self, store: &dyn StorageAdapter, user: &UserId, id: &str) -> Result<()> {
        let mut batch = WriteBatch::relaxed();
        batch.put_state(self.entry(user, id)?);
        store.apply(batch).await.map(drop)
    }
}
