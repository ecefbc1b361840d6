//! A message as it is printed.

use std::io::Write as _;

use haos::content::Content;
use haos_store_api::{Gap, Json, Message, MessageView, RelationKind};
use serde::Serialize;

use crate::error::Result;
use crate::out::Out;
use crate::text::{clean, clean_lines, shorten, time};

/// How much of a reaction's key a line shows.
const KEY_CHARS: usize = 32;

/// A message with all its fields.
#[derive(Debug, Serialize)]
pub struct Fields<'a> {
    pub(crate) event_id: &'a str,
    pub(crate) sender: &'a str,
    pub(crate) timestamp_ms: i64,
    pub(crate) time: String,
    pub(crate) kind: &'a str,
    pub(crate) state_key: Option<&'a str>,
    pub(crate) content: &'a Json,
    pub(crate) relation: Option<RelationFields<'a>>,
    pub(crate) txn_id: Option<&'a str>,
    pub(crate) redacted_by: Option<&'a str>,
    pub(crate) provisional: bool,
    pub(crate) extra: Option<&'a Json>,
    pub(crate) position: u64,
}

/// The relation of a message.
#[derive(Debug, Serialize)]
pub(crate) struct RelationFields<'a> {
    pub(crate) kind: &'a str,
    pub(crate) target: &'a str,
    pub(crate) key: Option<&'a str>,
}

impl<'a> From<&'a Message> for Fields<'a> {
    fn from(message: &'a Message) -> Self {
        let relation = message.relation.as_ref().map(|relation| RelationFields {
            kind: relation_name(&relation.kind),
            target: relation.target.as_str(),
            key: relation.key.as_deref(),
        });
        Self {
            event_id: message.id.as_str(),
            sender: message.sender.as_str(),
            timestamp_ms: message.timestamp_ms,
            time: time(message.timestamp_ms),
            kind: message.kind.as_str(),
            state_key: message.state_key.as_ref().map(|key| key.as_str()),
            content: &message.content,
            relation,
            txn_id: message.txn_id.as_ref().map(|id| id.as_str()),
            redacted_by: message.redacted_by.as_ref().map(|id| id.as_str()),
            provisional: message.provisional,
            extra: message.extra.as_ref(),
            position: message.position.get(),
        }
    }
}

/// An item of a timeline, for programs.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ItemFields<'a> {
    Message {
        #[serde(flatten)]
        fields: Box<Fields<'a>>,
        /// The text that is shown: of the latest edit, or of the message.
        body: Option<String>,
        edited_by: Option<&'a str>,
        reactions: Vec<ReactionFields<'a>>,
        /// How many reactions have other keys.
        more_reactions: u64,
        replies: u64,
        thread: u64,
    },
    Gap {
        token: Option<&'a str>,
        position: u64,
    },
}

/// The reactions with one key.
#[derive(Debug, Serialize)]
pub(crate) struct ReactionFields<'a> {
    pub(crate) key: &'a str,
    pub(crate) count: u64,
    pub(crate) senders: Vec<&'a str>,
}

impl<'a> From<&'a MessageView> for ItemFields<'a> {
    fn from(view: &'a MessageView) -> Self {
        let reactions = view.reactions.iter().map(|group| ReactionFields {
            key: &group.key,
            count: group.count,
            senders: group.senders.iter().map(|sender| sender.as_str()).collect(),
        });
        Self::Message {
            fields: Box::new(Fields::from(&view.message)),
            body: body(view),
            edited_by: view.edit.as_ref().map(|edit| edit.id.as_str()),
            reactions: reactions.collect(),
            more_reactions: view.more_reactions,
            replies: view.replies,
            thread: view.thread,
        }
    }
}

impl<'a> From<&'a Gap> for ItemFields<'a> {
    fn from(gap: &'a Gap) -> Self {
        Self::Gap { token: gap.token.as_deref(), position: gap.position.get() }
    }
}

/// The name of a kind of relation.
pub(crate) fn relation_name(kind: &RelationKind) -> &str {
    match kind {
        RelationKind::Edit => "edit",
        RelationKind::Reaction => "reaction",
        RelationKind::Reply => "reply",
        RelationKind::Thread => "thread",
        RelationKind::Redaction => "redaction",
        RelationKind::Other(name) => name,
        RelationKind::Ignored => "ignored",
        _ => "other",
    }
}

/// The text of the latest edit (`m.new_content`), else of the message; none if it has no text.
pub fn body(view: &MessageView) -> Option<String> {
    let edited = view.edit.as_ref().and_then(|edit| edit.content.member("m.new_content"));
    edited.and_then(|content| content.text("body")).or_else(|| view.message.content.text("body"))
}

/// What a message says, for people who have read who sent it.
fn words(view: &MessageView) -> String {
    let message = &view.message;
    let edited = view.edit.as_ref().and_then(|edit| edit.content.member("m.new_content"));
    let content = edited.as_ref().unwrap_or(&message.content);
    let unsigned = message.extra.as_ref().and_then(|extra| extra.member("unsigned"));
    let before = unsigned.and_then(|unsigned| unsigned.member("prev_content"));
    let read =
        Content::of(&message.kind, &message.sender, message.state_key.as_ref(), content, before.as_ref());
    match read.stored_as(message) {
        Content::State(change) => change.sentence("", None).trim_start().to_owned(),
        Content::Emote { body, .. } => format!("* {body}"),
        content => Some(content.plain())
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("[{}]", message.kind)),
    }
}

/// Prints a message as a line, longer texts indented below it.
pub(crate) fn print(view: &MessageView, out: &mut Out) -> Result<()> {
    let message = &view.message;
    let (time, sender) = (time(message.timestamp_ms), clean(message.sender.as_str()));
    write!(out, "{time}  {sender}  ")?;
    let text = if view.is_redacted() { "(removed)".to_owned() } else { words(view) };
    let lines = clean_lines(&text);
    write!(out, "{}", lines.first().map_or("", String::as_str))?;
    for line in lines.iter().skip(1) {
        write!(out, "\n    {line}")?;
    }
    if view.edit.is_some() {
        write!(out, " (edited)")?;
    }
    for group in &view.reactions {
        write!(out, " [{} {}]", shorten(&clean(&group.key), KEY_CHARS), group.count)?;
    }
    if view.more_reactions > 0 {
        write!(out, " [{} more]", view.more_reactions)?;
    }
    if view.replies > 0 {
        let noun = if view.replies == 1 { "reply" } else { "replies" };
        write!(out, " [{} {noun}]", view.replies)?;
    }
    if view.thread > 0 {
        write!(out, " [{} in thread]", view.thread)?;
    }
    writeln!(out, "  {}", clean(message.id.as_str()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventId, EventType, Position, RoomId, StateKey, UserId};

    use super::*;

    fn message(kind: &str, state_key: Option<&str>, content: &str) -> Message {
        Message {
            room: RoomId::new("!r").unwrap(),
            id: EventId::new("$m").unwrap(),
            position: Position::FIRST,
            sender: UserId::new("@ada:x").unwrap(),
            timestamp_ms: 0,
            kind: EventType::new(kind).unwrap(),
            state_key: state_key.map(|key| StateKey::new(key).unwrap()),
            content: Json::new(content).unwrap(),
            relation: None,
            txn_id: None,
            redacted_by: None,
            provisional: false,
            extra: Json::new(r#"{"unsigned":{"prev_content":{"membership":"join"}}}"#).ok(),
        }
    }

    #[test]
    fn what_a_line_says() {
        let text = "m.room.message";
        for (kind, key, content, expected) in [
            (text, None, r#"{"msgtype":"m.text","body":"hi"}"#, "hi"),
            (text, None, r#"{"msgtype":"m.emote","body":"waves"}"#, "* waves"),
            (text, None, r#"{"msgtype":"m.image","body":"a.png","url":"mxc://x/1"}"#, "a.png"),
            (
                text,
                None,
                r#"{"body":"> <@b:x> quoted\n\nanswer","msgtype":"m.text","m.relates_to":{"m.in_reply_to":{"event_id":"$a"}}}"#,
                "answer",
            ),
            ("m.room.create", Some(""), "{}", "created the room"),
            ("m.room.topic", Some(""), r#"{"topic":"x"}"#, "changed the room's topic to “x”"),
            ("m.room.member", Some("@bob:x"), r#"{"membership":"leave"}"#, "removed @bob:x"),
            ("m.room.member", Some("@ada:x"), r#"{"membership":"leave"}"#, "left the room"),
            ("org.x", Some("k"), "{}", "changed the room's state (org.x)"),
            ("org.x", None, "{}", "[org.x]"),
        ] {
            assert_eq!(words(&MessageView::from(message(kind, key, content))), expected);
        }
        let edit = message(text, None, r#"{"m.new_content":{"msgtype":"m.emote","body":"bows"}}"#);
        let edited = message(text, None, r#"{"msgtype":"m.text","body":"hi"}"#);
        assert_eq!(words(&MessageView { edit: Some(edit), ..MessageView::from(edited) }), "* bows");
    }
}
