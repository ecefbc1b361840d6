//! A user's acts on rooms, beside writing in them.

use haos_queue::Answer;
use haos_store_api::{EventId, EventType, Json, RoomId, StateKey, UserId};
use serde_json::json;

use super::answer::Expected;
use super::path::{Path, room_path};
use super::request::Request;
use super::{Homeserver, json as body_of, read_as};
use crate::Reply;

/// The longest list of joined rooms that is read: of 200,000 or so.
const MAX_JOINED_BYTES: u64 = 16 << 20;

impl Homeserver {
    /// Makes a room; its id. `body`: as in the specification, "Creation"; an empty object will do.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn create_room(&self, body: &Json) -> Reply<RoomId> {
        let path = Path::new("/_matrix/client/v3/createRoom");
        self.room_of(&Request::post("create_room", path, body)).await
    }

    /// Joins a room, by its id or an alias; its id. `via`: servers that know it, for rooms of others.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn join(&self, room_or_alias: &str, via: &[&str]) -> Reply<RoomId> {
        let mut path = Path::new("/_matrix/client/v3/join").id(room_or_alias);
        for server in via {
            // The same under its name before version 1.12.
            path = path.query("via", server).query("server_name", server);
        }
        self.room_of(&Request::post("join", path, &Json::empty())).await
    }

    /// Leaves a room, or declines an invite.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn leave(&self, room: &RoomId) -> Reply<()> {
        self.act("leave", room_path(room).part("/leave"), &Json::empty()).await
    }

    /// Invites a user.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn invite(&self, room: &RoomId, user: &UserId) -> Reply<()> {
        let body = body_of(&json!({ "user_id": user }))?;
        self.act("invite", room_path(room).part("/invite"), &body).await
    }

    /// Removes a user from a room, or takes an invite back.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn kick(&self, room: &RoomId, user: &UserId, reason: Option<&str>) -> Reply<()> {
        let body = match reason {
            Some(reason) => body_of(&json!({ "user_id": user, "reason": reason }))?,
            None => body_of(&json!({ "user_id": user }))?,
        };
        self.act("kick", room_path(room).part("/kick"), &body).await
    }

    /// The rooms that the user is in.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn joined_rooms(&self) -> Reply<Vec<RoomId>> {
        #[derive(serde::Deserialize)]
        struct Joined {
            joined_rooms: Vec<RoomId>,
        }
        let request = Request::read("joined_rooms", Path::new("/_matrix/client/v3/joined_rooms")).large();
        let body = self.ask(&request).await?;
        // A list of ids takes many times its bytes.
        if body.len() as u64 > MAX_JOINED_BYTES {
            return Err(Answer::TooLarge { limit: MAX_JOINED_BYTES });
        }
        Ok(read_as::<Joined>(&body)?.joined_rooms)
    }

    /// Sets a piece of a room's state; the event's id. It is sent at once and never twice by itself: what
    /// must survive being offline goes into the outbox.
    ///
    /// # Errors
    /// The server's other answer.
    pub async fn put_state(
        &self,
        room: &RoomId,
        kind: &EventType,
        key: &StateKey,
        content: &Json,
    ) -> Reply<EventId> {
        let path = room_path(room).part("/state").id(kind.as_str()).id(key.as_str());
        let response = self.authed(&Request::put("put_state", path, content)).await?;
        match response.answer(Expected::Event, self.now_ms()) {
            Answer::Accepted(event) => Ok(event),
            answer => Err(answer),
        }
    }

    async fn room_of(&self, request: &Request<'_>) -> Reply<RoomId> {
        #[derive(serde::Deserialize)]
        struct Made {
            room_id: RoomId,
        }
        Ok(self.ask_for::<Made>(request).await?.room_id)
    }

    async fn act(&self, name: &'static str, path: Path, body: &Json) -> Reply<()> {
        self.ask_json(&Request::post(name, path, body)).await.map(drop)
    }
}
