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

    /// Of an encrypted message, the session that encrypted it, and its index there, which no other message may have.
    pub fn megolm_index(&self) -> Option<(&str, u32)> {
        let bytes = base64(self.content.get("ciphertext")?.as_str()?.get(..12)?)?;
        // A version, and the index as the first field of a protocol buffer.
        let [3, 8, number @ ..] = &*bytes else { return None };
        let mut index = 0;
        for (place, byte) in number.iter().take(5).enumerate() {
            index |= u32::from(byte & 127) << (7 * place);
            if byte & 128 == 0 {
                return Some((self.content.get("session_id")?.as_str()?, index));
            }
        }
        None
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

/// Reads whole groups of four characters.
fn base64(text: &str) -> Option<Vec<u8>> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let mut number = 0_u32;
        for digit in group {
            number = number << 6 | DIGITS.iter().position(|known| known == digit)? as u32;
        }
        bytes.extend_from_slice(&number.to_be_bytes()[1..]);
    }
    Some(bytes)
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

    #[test]
    fn the_index_of_a_ciphertext_is_read() {
        let index = |ciphertext: &str| {
            let event = json!({
                "event_id": "$a", "sender": "@me:x", "type": "m.room.encrypted", "origin_server_ts": 7,
                "content": { "session_id": "s", "ciphertext": ciphertext },
            });
            Happening::parse(event)
                .unwrap()
                .megolm_index()
                .map(|(session, index)| (session.to_owned(), index))
        };
        // 03 08 00 12 …, 03 08 05 12 …, 03 08 ac 02 12 …
        assert_eq!(index("AwgAEoABAAAAAA"), Some(("s".to_owned(), 0)));
        assert_eq!(index("AwgFEoABAAAAAA"), Some(("s".to_owned(), 5)));
        assert_eq!(index("AwisAhKAAQAAAA"), Some(("s".to_owned(), 300)));
        assert_eq!((index("BAgAEoABAAAAAA"), index("Awg"), index("????????????")), (None, None, None));
    }
}
