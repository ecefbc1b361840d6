use serde_json::{Value, json};

use super::Plain;
use super::account::CLIENT;
use super::request::Ask;
use crate::Result;

impl Plain {
    /// A room that those invited may join; its id.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn create_room(&self, name: &str, invite: &[&str]) -> Result<String> {
        let body = json!({ "name": name, "preset": "private_chat", "invite": invite });
        let ask = Ask::new("POST", CLIENT, &["createRoom"]).token(&self.access_token).json(&body);
        ask.send(self.address).await?.text("room_id")
    }

    /// Asks `user_id` into the room.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn invite(&self, room_id: &str, user_id: &str) -> Result<()> {
        self.membership(room_id, "invite", json!({ "user_id": user_id })).await
    }

    /// Enters a room that it was invited to.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn join(&self, room_id: &str) -> Result<()> {
        self.membership(room_id, "join", json!({})).await
    }

    /// Leaves a room, or declines the invitation.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn leave(&self, room_id: &str) -> Result<()> {
        self.membership(room_id, "leave", json!({})).await
    }

    /// Puts `user_id` out of the room.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn kick(&self, room_id: &str, user_id: &str) -> Result<()> {
        self.membership(room_id, "kick", json!({ "user_id": user_id })).await
    }

    async fn membership(&self, room_id: &str, verb: &str, body: Value) -> Result<()> {
        self.call("POST", &["rooms", room_id, verb], &body).await.map(drop)
    }

    /// The room's state events, in no order.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn state(&self, room_id: &str) -> Result<Vec<Value>> {
        match self.call("GET", &["rooms", room_id, "state"], &Value::Null).await? {
            Value::Array(events) => Ok(events),
            other => Ok(vec![other]),
        }
    }
}
