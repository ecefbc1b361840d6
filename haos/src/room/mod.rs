//! A room: what is known of it, and what the user does there.

mod act;
mod draft;
mod info;
mod members;
mod typing;

use haos_matrix::compose;
use haos_store_api::{EventId, RoomId};

use crate::chat::Chat;
use crate::error::Result;
use crate::live::timeline::Timeline;

pub use draft::{RoomDraft, SavedDraft};
pub use info::RoomInfo;
pub use members::{Member, Members};

/// The handle of a room. Clones are the same room; a handle keeps its chat running.
#[derive(Debug, Clone)]
pub struct Room {
    chat: Chat,
    id: RoomId,
}

impl Room {
    pub(crate) fn new(chat: Chat, id: RoomId) -> Self {
        Self { chat, id }
    }

    /// Its id.
    pub fn id(&self) -> &RoomId {
        &self.id
    }

    /// The chat that it belongs to.
    pub fn chat(&self) -> &Chat {
        &self.chat
    }

    /// The timeline, with its newest `want` items to begin with.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn timeline(&self, want: usize) -> Result<Timeline> {
        let timeline = Timeline::open(self.chat.base(), self.id.clone(), want);
        timeline.items().await?;
        Ok(timeline)
    }

    /// Tells everybody that the user has read up to an event, now or once there is a network.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn mark_read(&self, event: &EventId) -> Result<()> {
        self.enqueue(compose::read(&self.id, event, false)?).await?;
        Ok(())
    }

    /// Marks the room as read up to an event for the user's own devices; others are not told.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn mark_read_privately(&self, event: &EventId) -> Result<()> {
        self.enqueue(compose::read(&self.id, event, true)?).await?;
        Ok(())
    }

    /// Tells others that the user is typing, or stopped. They forget it after half a minute, and so does the outbox:
    /// call it again while the user goes on.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn typing(&self, is_typing: bool) -> Result<()> {
        self.enqueue(compose::typing(&self.id, is_typing)?).await?;
        Ok(())
    }

    /// The user's draft for this room.
    pub fn draft(&self) -> RoomDraft {
        RoomDraft::new(self.chat.store().clone(), self.id.clone())
    }
}

/// Requests, which need the homeserver.
#[cfg(feature = "http")]
impl Room {
    /// Joins it, or accepts an invite, at once. Its row comes with the next sync.
    ///
    /// # Errors
    /// [`Error::NotLoggedIn`](crate::Error::NotLoggedIn), and what the homeserver answers.
    pub async fn join(&self) -> Result<()> {
        self.chat.join(self.id.as_str()).await.map(drop)
    }

    /// Leaves it, or declines an invite, at once. Its messages stay here.
    ///
    /// # Errors
    /// As of [`Room::join`].
    pub async fn leave(&self) -> Result<()> {
        Ok(self.chat.homeserver()?.leave(&self.id).await?)
    }

    /// Asks somebody to join it, at once.
    ///
    /// # Errors
    /// As of [`Room::join`].
    pub async fn invite(&self, user: &haos_store_api::UserId) -> Result<()> {
        Ok(self.chat.homeserver()?.invite(&self.id, user).await?)
    }

    /// Removes somebody from it, or takes an invite back, at once.
    ///
    /// # Errors
    /// As of [`Room::join`].
    pub async fn remove(&self, user: &haos_store_api::UserId, reason: Option<&str>) -> Result<()> {
        Ok(self.chat.homeserver()?.kick(&self.id, user, reason).await?)
    }
}
