use std::fmt::Write as _;

use haos_store_api::{Cursor, Message, MessageView, Slice, View, ViewItem};

/// About what a message takes: the text grows once.
const MESSAGE_BYTES: usize = 700;

/// A page as a JSON array, oldest first.
pub(crate) fn slice(slice: &Slice) -> String {
    let mut text = String::with_capacity(slice.items.len() * MESSAGE_BYTES + 2);
    array(&mut text, slice.messages(), |text, message| write(text, message, None));
    text
}

/// A page as it is shown: the messages, oldest first, and the cursor to older ones.
pub(crate) fn view(view: &View) -> String {
    let mut text = String::with_capacity(view.items.len() * MESSAGE_BYTES + 100);
    let older = view.older.as_ref().map(Cursor::to_string);
    let _ = write!(text, r#"{{"older":{},"messages":"#, serde_json::Value::from(older));
    let shown = view.items.iter().filter_map(|item| match item {
        ViewItem::Message(shown) => Some(&**shown),
        ViewItem::Gap(_) => None,
    });
    array(&mut text, shown, |text, shown: &MessageView| write(text, &shown.message, shown.edit.as_ref()));
    text.push('}');
    text
}

/// A message as a JSON object; `null` without one.
pub(crate) fn message(message: Option<&Message>) -> String {
    let mut text = String::new();
    match message {
        Some(message) => write(&mut text, message, None),
        None => text.push_str("null"),
    }
    text
}

fn array<T>(text: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    text.push('[');
    for (i, item) in items.enumerate() {
        if i > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(']');
}

fn write(text: &mut String, message: &Message, edit: Option<&Message>) {
    // Writing to a string does not fail, and the content is JSON already.
    let _ = write!(
        text,
        r#"{{"roomId":{},"eventId":{},"cursor":{},"sender":{},"timestamp":{},"type":{},"content":{}"#,
        quoted(message.room.as_str()),
        quoted(message.id.as_str()),
        quoted(&Cursor::of(message).to_string()),
        quoted(message.sender.as_str()),
        message.timestamp_ms,
        quoted(message.kind.as_str()),
        message.content.as_str(),
    );
    if let Some(edit) = edit {
        let _ = write!(text, r#","edit":{}"#, edit.content.as_str());
    }
    text.push('}');
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
