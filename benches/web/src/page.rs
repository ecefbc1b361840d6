use std::fmt::Write as _;

use haos_store_api::{Cursor, Message, Slice};

/// A page as a JSON array, oldest first.
pub(crate) fn slice(slice: &Slice) -> String {
    // About what a message takes: the text grows once.
    let mut text = String::with_capacity(slice.items.len() * 700 + 2);
    text.push('[');
    for (i, message) in slice.messages().enumerate() {
        if i > 0 {
            text.push(',');
        }
        write(&mut text, message);
    }
    text.push(']');
    text
}

/// A message as a JSON object; `null` without one.
pub(crate) fn message(message: Option<&Message>) -> String {
    let mut text = String::new();
    match message {
        Some(message) => write(&mut text, message),
        None => text.push_str("null"),
    }
    text
}

fn write(text: &mut String, message: &Message) {
    // Writing to a string does not fail, and the content is JSON already.
    let _ = write!(
        text,
        r#"{{"roomId":{},"eventId":{},"cursor":{},"sender":{},"timestamp":{},"type":{},"content":{}}}"#,
        quoted(message.room.as_str()),
        quoted(message.id.as_str()),
        quoted(&Cursor::of(message).to_string()),
        quoted(message.sender.as_str()),
        message.timestamp_ms,
        quoted(message.kind.as_str()),
        message.content.as_str(),
    );
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
