use matrix_sdk::Room;
use matrix_sdk::ruma::api::client::room::create_room;
use matrix_sdk::ruma::events::reaction::ReactionEventContent;
use matrix_sdk::ruma::events::relation::{Annotation, InReplyTo, Reply};
use matrix_sdk::ruma::events::room::encryption::RoomEncryptionEventContent;
use matrix_sdk::ruma::events::room::message::{Relation, ReplacementMetadata, RoomMessageEventContent};
use matrix_sdk::ruma::events::{InitialStateEvent, MessageLikeEventContent};
use matrix_sdk::ruma::{EventId, OwnedEventId, OwnedRoomId, OwnedUserId, RoomId, UserId};

use crate::Result;
use crate::client::{Peer, until};

impl Peer {
    /// A room, once a sync told of it.
    pub(crate) async fn room(&self, id: &RoomId) -> Result<Room> {
        until(&format!("{id} is known"), async || Ok(self.client.get_room(id))).await
    }

    /// Waits until it knows that a room is encrypted.
    async fn is_encrypted(&self, id: &RoomId) -> Result<()> {
        until(&format!("{id} is encrypted"), async || {
            let Some(room) = self.client.get_room(id) else { return Ok(None) };
            Ok(room.encryption_state().is_encrypted().then_some(()))
        })
        .await
    }

    pub(crate) async fn create(&self, name: String, invite: Vec<OwnedUserId>) -> Result<OwnedRoomId> {
        let encryption = RoomEncryptionEventContent::with_recommended_defaults();
        let mut request = create_room::v3::Request::new();
        request.name = Some(name);
        request.invite = invite;
        request.preset = Some(create_room::v3::RoomPreset::PrivateChat);
        request.initial_state = vec![InitialStateEvent::with_empty_state_key(encryption).to_raw_any()];
        let room = self.client.create_room(request).await?.room_id().to_owned();
        self.is_encrypted(&room).await?;
        Ok(room)
    }

    pub(crate) async fn invite(&self, room: &RoomId, user: &UserId) -> Result<()> {
        Ok(self.room(room).await?.invite_user_by_id(user).await?)
    }

    pub(crate) async fn join(&self, room: &RoomId) -> Result<()> {
        self.client.join_room_by_id(room).await?;
        self.is_encrypted(room).await
    }

    pub(crate) async fn leave(&self, room: &RoomId) -> Result<()> {
        Ok(self.room(room).await?.leave().await?)
    }

    pub(crate) async fn kick(&self, room: &RoomId, user: &UserId) -> Result<()> {
        Ok(self.room(room).await?.kick_user(user, None).await?)
    }

    /// Waits until somebody has a membership for this client.
    pub(crate) async fn member(&self, room: &RoomId, user: &UserId, membership: &str) -> Result<()> {
        let room = self.room(room).await?;
        until(&format!("{user} is {membership}"), async || {
            let member = room.get_member_no_sync(user).await?;
            Ok(member.is_some_and(|member| member.membership().as_str() == membership).then_some(()))
        })
        .await
    }

    async fn send(&self, room: &RoomId, content: impl MessageLikeEventContent) -> Result<OwnedEventId> {
        Ok(self.room(room).await?.send(content).await?.response.event_id)
    }

    pub(crate) async fn text(&self, room: &RoomId, body: &str) -> Result<OwnedEventId> {
        self.send(room, RoomMessageEventContent::text_plain(body)).await
    }

    pub(crate) async fn edit(&self, room: &RoomId, event: OwnedEventId, body: &str) -> Result<OwnedEventId> {
        let content = RoomMessageEventContent::text_plain(body);
        self.send(room, content.make_replacement(ReplacementMetadata::new(event, None))).await
    }

    pub(crate) async fn reply(&self, room: &RoomId, event: OwnedEventId, body: &str) -> Result<OwnedEventId> {
        let mut content = RoomMessageEventContent::text_plain(body);
        content.relates_to = Some(Relation::Reply(Reply::new(InReplyTo::new(event))));
        self.send(room, content).await
    }

    pub(crate) async fn react(
        &self,
        room: &RoomId,
        event: OwnedEventId,
        key: String,
    ) -> Result<OwnedEventId> {
        self.send(room, ReactionEventContent::new(Annotation::new(event, key))).await
    }

    pub(crate) async fn redact(&self, room: &RoomId, event: &EventId) -> Result<OwnedEventId> {
        Ok(self.room(room).await?.redact(event, None, None).await?.event_id)
    }
}
