use serde_json::Value;

use super::Plain;
use super::account::CLIENT;
use super::request::Ask;
use crate::{Error, Result};

/// The events of a page: the server gives no more.
const PAGE: &str = "1000";
/// More pages than any test writes.
const MOST_PAGES: usize = 1000;

/// An event of a room as the server tells it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Happening {
    /// The event's id.
    pub event_id: String,
    /// The whole user id of who sent it.
    pub sender: String,
    /// Its type.
    pub kind: String,
    /// Which state it sets; none for a message.
    pub state_key: Option<String>,
    /// The transaction id, for an event that the asking device sent.
    pub txn_id: Option<String>,
    /// When the server took it, in milliseconds since 1970 by the server's clock.
    pub timestamp_ms: u64,
    /// Its content; empty if it is redacted.
    pub content: Value,
    /// All of it.
    pub event: Value,
}

impl Happening {
    /// The text of a message, unedited.
    pub fn body(&self) -> Option<&str> {
        self.content.get("body")?.as_str()
    }

    fn parse(event: Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            event_id: text(event.get("event_id")?)?,
            sender: text(event.get("sender")?)?,
            kind: text(event.get("type")?)?,
            state_key: event.get("state_key").and_then(text),
            txn_id: event.pointer("/unsigned/transaction_id").and_then(text),
            timestamp_ms: event.get("origin_server_ts")?.as_u64()?,
            content: event.get("content")?.clone(),
            event,
        })
    }
}

impl Plain {
    /// Everything that happened in a room, state included, in the server's order from the creation on.
    ///
    /// # Errors
    /// No answer, one that is not understood, or the server refuses.
    pub async fn history(&self, room_id: &str) -> Result<Vec<Happening>> {
        let failed = |cause: &str| Error::new("reading a room's history", cause);
        let mut all = Vec::new();
        let mut from: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut ask = Ask::new("GET", CLIENT, &["rooms", room_id, "messages"])
                .token(&self.access_token)
                .query("dir", "f")
                .query("limit", PAGE);
            if let Some(from) = &from {
                ask = ask.query("from", from);
            }
            let mut page = ask.send(self.address).await?.json()?;
            let Some(Value::Array(chunk)) = page.get_mut("chunk").map(Value::take) else {
                return Err(failed("a page without chunk"));
            };
            for event in chunk {
                all.push(Happening::parse(event).ok_or_else(|| failed("an invalid event"))?);
            }
            let end = page.get("end").and_then(Value::as_str).map(str::to_owned);
            if end.is_none() || end == from {
                return Ok(all);
            }
            from = end;
        }
        Err(failed("it does not end"))
    }

    /// The `m.room.message` events of a room in the server's order.
    ///
    /// # Errors
    /// As [`history`](Self::history).
    pub async fn messages(&self, room_id: &str) -> Result<Vec<Happening>> {
        let mut all = self.history(room_id).await?;
        all.retain(|happening| happening.kind == "m.room.message");
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_taken_apart() {
        let event = json!({
            "event_id": "$a", "sender": "@me:x", "type": "m.room.message", "origin_server_ts": 7,
            "content": { "body": "hello" }, "unsigned": { "transaction_id": "t1" },
        });
        let happening = Happening::parse(event).unwrap();
        assert_eq!((happening.body(), happening.txn_id.as_deref()), (Some("hello"), Some("t1")));
        assert_eq!((happening.state_key, happening.timestamp_ms), (None, 7));
        assert_eq!(Happening::parse(json!({ "event_id": "$a" })), None);
    }
}
