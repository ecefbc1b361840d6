use serde_json::{Value, json};

use super::Plain;
use super::account::CLIENT;
use super::request::Ask;
use crate::Result;

impl Plain {
    /// Sends a message event under a transaction id; the event's id, which is the first one's if this
    /// device has used the transaction id in this room.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn send(&self, room_id: &str, kind: &str, txn_id: &str, content: &Value) -> Result<String> {
        self.put(&["rooms", room_id, "send", kind, txn_id], content).await
    }

    /// [`send`](Self::send) of a text.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn send_text(&self, room_id: &str, txn_id: &str, body: &str) -> Result<String> {
        let content = json!({ "msgtype": "m.text", "body": body });
        self.send(room_id, "m.room.message", txn_id, &content).await
    }

    /// Sets a state event; its id.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn set_state(&self, room_id: &str, kind: &str, key: &str, content: &Value) -> Result<String> {
        self.put(&["rooms", room_id, "state", kind, key], content).await
    }

    /// Empties an event; the redaction's id.
    ///
    /// # Errors
    /// No answer, or the server refuses.
    pub async fn redact(&self, room_id: &str, event_id: &str, txn_id: &str) -> Result<String> {
        self.put(&["rooms", room_id, "redact", event_id, txn_id], &json!({})).await
    }

    async fn put(&self, parts: &[&str], content: &Value) -> Result<String> {
        let ask = Ask::new("PUT", CLIENT, parts).token(&self.access_token).json(content);
        ask.send(self.address).await?.text("event_id")
    }
}
