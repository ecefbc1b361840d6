//! Calls for users of a store, made of those that backends implement.

use async_trait::async_trait;

use crate::{
    Commit, Cursor, EventId, EventType, Json, Message, Page, Pending, PendingQuery, Prune, RelationQuery,
    Result, RoomId, Scope, Slice, StateKey, StateQuery, StorageAdapter, UserId, View, WriteBatch, state_kind,
    view,
};

/// Conveniences over every [`StorageAdapter`], `dyn StorageAdapter` included.
///
/// Each is made of the adapter's own calls; one that reads several times is no snapshot.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait StorageAdapterExt: StorageAdapter {
    /// Reads the items around a message: up to `before` older ones, the message, up to `after` newer ones. `more` tells
    /// of still older ones. Absent if the message is not stored.
    async fn around(
        &self,
        room: &RoomId,
        event: &EventId,
        before: usize,
        after: usize,
    ) -> Result<Option<Slice>> {
        let Some(message) = self.message(room, event).await? else { return Ok(None) };
        let here = Cursor::of(&message);
        let mut slice = self.timeline(room, Page::older_than(here.clone(), before)).await?;
        let newer = self.timeline(room, Page::newer_than(here, after)).await?;
        slice.items.push(crate::Item::Message(message));
        slice.items.extend(newer.items);
        Ok(Some(slice))
    }

    /// Reads the oldest message newer than the one that was read; absent if all are older, or if the one that was read
    /// is not stored.
    async fn first_unread(&self, room: &RoomId, read: &EventId) -> Result<Option<Message>> {
        const STEP: usize = 8;
        let Some(message) = self.message(room, read).await? else { return Ok(None) };
        let mut cursor = Cursor::of(&message);
        loop {
            let slice = self.timeline(room, Page::newer_than(cursor, STEP)).await?;
            if let Some(message) = slice.messages().next() {
                return Ok(Some(message.clone()));
            }
            match slice.newer() {
                Some(next) if slice.more => cursor = next,
                _ => return Ok(None),
            }
        }
    }

    /// Counts the stored messages newer than the one that was read; 0 if that one is not stored.
    async fn unread_count(&self, room: &RoomId, read: &EventId) -> Result<u64> {
        self.count(room, Some(read)).await
    }

    /// Reads the value of one state entry.
    async fn state_value(&self, scope: Scope, kind: &EventType, key: &StateKey) -> Result<Option<Json>> {
        let entries = self.state(StateQuery::one(scope, kind.clone(), key.clone())).await?;
        Ok(entries.into_iter().next().map(|entry| entry.value))
    }

    /// Reads the token from which the next sync continues, stored as [`state_kind::SYNC_TOKEN`].
    ///
    /// # Errors
    /// `Invalid` if that entry is not a JSON text.
    async fn sync_token(&self) -> Result<Option<String>> {
        let kind = EventType::new(state_kind::SYNC_TOKEN)?;
        let value = self.state_value(Scope::Account, &kind, &StateKey::new("")?).await?;
        value.map(|token| token.parse()).transpose()
    }

    /// Reads the whole outbox, in order.
    async fn outbox(&self) -> Result<Vec<Pending>> {
        self.pending(PendingQuery::default()).await
    }

    /// Reads the outbox of a room, in order.
    async fn room_outbox(&self, room: &RoomId) -> Result<Vec<Pending>> {
        self.pending(PendingQuery { room: Some(room.clone()), ..PendingQuery::default() }).await
    }

    /// Forgets all but the newest `keep` messages of a room, and leaves gaps. Messages that are `pinned`, and those
    /// that a draft or an outbox row refers to, stay.
    async fn prune_room(&self, room: &RoomId, keep: u64, pinned: &[EventId]) -> Result<Commit> {
        let drafts = EventType::new(state_kind::DRAFT)?;
        let drafts = self.state(StateQuery::kind(Scope::Room(room.clone()), drafts)).await?;
        let mut protect = pinned.to_vec();
        for draft in drafts {
            let members = state_kind::DRAFT_TARGETS.iter();
            let targets = members.filter_map(|member| draft.value.text(member));
            protect.extend(targets.filter_map(|id| EventId::new(id).ok()));
        }
        let mut batch = WriteBatch::relaxed();
        batch.prune(Prune { room: room.clone(), keep, protect });
        self.apply(batch).await
    }

    /// Reads a page of the timeline, with edits, reactions and answers gathered at their targets.
    async fn timeline_view(&self, room: &RoomId, page: Page) -> Result<View> {
        let slice = self.timeline(room, page).await?;
        self.view_of(room, slice).await
    }

    /// Gathers edits, reactions and answers at the items of a timeline. Reads all related messages: a later edit may
    /// follow any number of reactions.
    async fn view_of(&self, room: &RoomId, slice: Slice) -> Result<View> {
        let shown = slice.messages().filter(|message| !view::is_hidden(message));
        let targets: Vec<EventId> = shown.map(|message| message.id.clone()).collect();
        if targets.is_empty() {
            return Ok(view::aggregate(slice, &[], None));
        }
        let query = RelationQuery { room: room.clone(), targets, kind: None, limit: usize::MAX };
        let related = self.related(query).await?;
        // A list this short needs no choice that prefers the own ones.
        let own = match related.len() > view::MAX_KEYS.min(view::MAX_SENDERS) {
            true => {
                let kind = EventType::new(state_kind::OWN_USER)?;
                let own = self.state_value(Scope::Account, &kind, &StateKey::new("")?).await?;
                own.and_then(|own| own.parse::<UserId>().ok())
            }
            false => None,
        };
        Ok(view::aggregate(slice, &related, own.as_ref()))
    }
}

impl<A: StorageAdapter + ?Sized> StorageAdapterExt for A {}

#[cfg(test)]
mod tests;
