use haos::{About, EventId, Text, TxnId, UserId};
use serde::Deserialize;

/// A message of text to send.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS), ts(optional_fields))]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its text.
    pub body: String,
    /// The same as HTML.
    pub html: Option<String>,
    /// What it is meant as; a text if nothing is said.
    pub kind: Option<MessageKind>,
    /// The message that it answers.
    pub reply_to: Option<Target>,
    /// The first message of the thread that it belongs to.
    pub thread: Option<Target>,
    /// The people whom it mentions.
    pub mentions: Option<Vec<UserId>>,
    /// True to mention the whole room.
    pub mention_room: Option<bool>,
}

/// What a text is meant as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// What somebody says.
    Text,
    /// What a program says.
    Notice,
    /// What somebody does.
    Emote,
}

/// A message: one that the server has, or one that is unsent.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "ts", derive(serde::Serialize, ts_rs::TS))]
#[serde(untagged, rename_all_fields = "camelCase")]
pub enum Target {
    /// One that the server has.
    Event {
        /// Its id.
        event_id: EventId,
    },
    /// One that is unsent.
    Unsent {
        /// Its transaction.
        txn_id: TxnId,
    },
}

impl From<Target> for About {
    fn from(target: Target) -> Self {
        match target {
            Target::Event { event_id } => Self::Event(event_id),
            Target::Unsent { txn_id } => Self::Unsent(txn_id),
        }
    }
}

impl From<Message> for Text {
    fn from(message: Message) -> Self {
        let mut text = match message.html {
            Some(html) => Self::html(message.body, html),
            None => Self::new(message.body),
        };
        match message.kind {
            Some(MessageKind::Notice) => text = text.notice(),
            Some(MessageKind::Emote) => text = text.emote(),
            Some(MessageKind::Text) | None => {}
        }
        if let Some(target) = message.reply_to {
            text = text.reply_to(target);
        }
        if let Some(root) = message.thread {
            text = text.in_thread(root);
        }
        text = message.mentions.iter().flatten().fold(text, Text::mention);
        if message.mention_room == Some(true) {
            text = text.mention_room();
        }
        text
    }
}
