use haos_store_api::{Error, ErrorKind, Json, Result, Room};
use serde::Serialize;

use super::entry::Entry;

#[derive(Serialize)]
struct Head<'a> {
    id: &'a str,
    name: Option<&'a str>,
    topic: Option<&'a str>,
}

/// A message, with all its fields and what it shows.
#[derive(Serialize)]
struct Fields<'a> {
    #[serde(rename = "type")]
    is: &'static str,
    event_id: &'a str,
    sender: &'a str,
    sender_name: &'a str,
    timestamp_ms: i64,
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state_key: Option<&'a str>,
    content: &'a Json,
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redacted_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    relation: Option<Related<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<File<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reactions: Vec<Reaction<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    more_reactions: u64,
}

#[derive(Serialize)]
struct Related<'a> {
    target: &'a str,
    key: Option<&'a str>,
}

#[derive(Serialize)]
struct File<'a> {
    name: &'a str,
    uri: &'a str,
    /// Absent if its bytes are not exported.
    path: Option<&'a str>,
}

#[derive(Serialize)]
struct Reaction<'a> {
    key: &'a str,
    count: u64,
    senders: Vec<&'a str>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

pub(super) fn head(room: &Room) -> Result<String> {
    let (name, topic) = (room.name.as_deref(), room.topic.as_deref());
    let room = text(&Head { id: room.id.as_str(), name, topic })?;
    Ok(format!("{{\"room\":{room},\n\"items\":[\n"))
}

pub(super) fn entry(entry: &Entry<'_>, is_next: bool) -> Result<String> {
    let (view, message) = (entry.view, &entry.view.message);
    let reactions = view.reactions.iter().map(|group| Reaction {
        key: &group.key,
        count: group.count,
        senders: group.senders.iter().map(|sender| sender.as_str()).collect(),
    });
    let relation = message.relation.as_ref();
    let fields = Fields {
        is: "message",
        event_id: message.id.as_str(),
        sender: message.sender.as_str(),
        sender_name: &entry.sender,
        timestamp_ms: message.timestamp_ms,
        kind: message.kind.as_str(),
        state_key: message.state_key.as_ref().map(|key| key.as_str()),
        content: &message.content,
        text: entry.text.as_deref(),
        edited_by: view.edit.as_ref().map(|edit| edit.id.as_str()),
        redacted_by: message.redacted_by.as_ref().map(|id| id.as_str()),
        relation: relation.map(|r| Related { target: r.target.as_str(), key: r.key.as_deref() }),
        file: entry.file.as_ref().map(|file| File {
            name: &file.attachment.name,
            uri: file.attachment.key.uri.as_str(),
            path: file.path.as_deref(),
        }),
        reactions: reactions.collect(),
        more_reactions: view.more_reactions,
    };
    Ok(separated(&text(&fields)?, is_next))
}

pub(super) fn gap(is_next: bool) -> String {
    separated(r#"{"type":"gap"}"#, is_next)
}

pub(super) fn end() -> String {
    "\n]}\n".to_owned()
}

fn separated(item: &str, is_next: bool) -> String {
    let before = if is_next { ",\n" } else { "" };
    format!("{before}{item}")
}

fn text(value: &impl Serialize) -> Result<String> {
    let mut text = serde_json::to_string(value)
        .map_err(|e| Error::new(ErrorKind::Other, "export", "a message has no JSON form").with_source(e))?;
    // Stored content is kept as it came. A line end in it is white space: in texts it is escaped.
    text.retain(|c| !matches!(c, '\n' | '\r'));
    Ok(text)
}
