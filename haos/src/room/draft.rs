use std::fmt;
use std::sync::Arc;

use haos_queue::Retries;
use haos_store_api::{
    EventId, EventType, Json, RoomId, Scope, StateEntry, StateKey, StorageAdapter, StorageAdapterExt as _,
    WriteBatch, state_kind,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The member with the text.
const BODY: &str = "body";
/// The members with the messages that a draft is about.
const REPLY_TO: &str = state_kind::DRAFT_TARGETS[0];
const EDIT_OF: &str = state_kind::DRAFT_TARGETS[1];

/// What the user began to write.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SavedDraft {
    /// Its text.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<EventId>,
    /// The message that it will edit.
    pub edit_of: Option<EventId>,
}

/// The draft of a room: it outlives the process, and the messages that it is about are not pruned.
#[derive(Clone)]
pub struct RoomDraft {
    store: Arc<dyn StorageAdapter>,
    room: RoomId,
}

impl RoomDraft {
    pub(super) fn new(store: Arc<dyn StorageAdapter>, room: RoomId) -> Self {
        Self { store, room }
    }

    /// Reads it; `None` without one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn get(&self) -> Result<Option<SavedDraft>> {
        let Some(members) = self.read().await?.1 else { return Ok(None) };
        let text = |name: &str| members.get(name).and_then(Value::as_str);
        let event = |name| text(name).and_then(|id| EventId::new(id).ok());
        let body = text(BODY).unwrap_or_default().to_owned();
        Ok(Some(SavedDraft { text: body, reply_to: event(REPLY_TO), edit_of: event(EDIT_OF) }))
    }

    /// Keeps a text; an empty one of a draft that is about nothing is none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a room that the store does not know; those of the store.
    pub async fn set(&self, text: &str) -> Result<()> {
        self.change(|members| put(members, BODY, Some(text).filter(|text| !text.is_empty()))).await
    }

    /// Makes it an answer to a message, or to none.
    ///
    /// # Errors
    /// As of [`RoomDraft::set`].
    pub async fn reply_to(&self, event: Option<&EventId>) -> Result<()> {
        self.change(|members| put(members, REPLY_TO, event.map(EventId::as_str))).await
    }

    /// Makes it an edit of a message, or of none.
    ///
    /// # Errors
    /// As of [`RoomDraft::set`].
    pub async fn edit_of(&self, event: Option<&EventId>) -> Result<()> {
        self.change(|members| put(members, EDIT_OF, event.map(EventId::as_str))).await
    }

    /// Keeps a draft whole, in the place of the one that is there.
    ///
    /// # Errors
    /// As of [`RoomDraft::set`].
    pub async fn put(&self, draft: &SavedDraft) -> Result<()> {
        self.change(|members| {
            put(members, BODY, Some(draft.text.as_str()).filter(|text| !text.is_empty()));
            put(members, REPLY_TO, draft.reply_to.as_ref().map(EventId::as_str));
            put(members, EDIT_OF, draft.edit_of.as_ref().map(EventId::as_str));
        })
        .await
    }

    /// Removes it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear(&self) -> Result<()> {
        self.change(Map::clear).await
    }

    /// The stored value, and its members.
    async fn read(&self) -> Result<(Option<Json>, Option<Map<String, Value>>)> {
        let (kind, key) = place()?;
        let value = self.store.state_value(Scope::Room(self.room.clone()), &kind, &key).await?;
        let members = value.as_ref().and_then(|value| value.parse().ok());
        Ok((value, members))
    }

    /// Changes it as it is; what other versions keep in it stays.
    async fn change(&self, change: impl Fn(&mut Map<String, Value>)) -> Result<()> {
        let mut retries = Retries::default();
        loop {
            let (held, members) = self.read().await?;
            let mut members = members.unwrap_or_default();
            change(&mut members);
            if members.is_empty() && held.is_none() {
                return Ok(());
            }
            if self.store.room(&self.room).await?.is_none() {
                return Err(Error::NotFound { what: format!("the room {}", self.room) });
            }
            let (scope, (kind, key)) = (Scope::Room(self.room.clone()), place()?);
            let mut batch = WriteBatch::relaxed();
            batch.expect_state(scope.clone(), kind.clone(), key.clone(), held.clone());
            if members.is_empty() {
                batch.remove_state(scope, kind, key);
            } else {
                batch.put_state(StateEntry { scope, kind, key, event_id: None, value: Json::of(&members)? });
            }
            if retries.committed(self.store.apply(batch).await)?.is_some() {
                return Ok(());
            }
        }
    }
}

fn place() -> haos_store_api::Result<(EventType, StateKey)> {
    Ok((EventType::new(state_kind::DRAFT)?, StateKey::new("")?))
}

fn put(members: &mut Map<String, Value>, name: &str, text: Option<&str>) {
    match text {
        Some(text) => drop(members.insert(name.to_owned(), Value::from(text))),
        None => drop(members.remove(name)),
    }
}

impl fmt::Debug for RoomDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomDraft").field("room", &self.room).finish_non_exhaustive()
    }
}
