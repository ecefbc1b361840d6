//! What an event says, as plain types over its JSON.

use haos_store_api::{EventType, Json, StateKey, UserId};
use serde::Serialize;

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text {
        /// Its plain text.
        body: String,
    },
    /// Something that this version does not know.
    Unknown {
        /// Its plain text, if it has one.
        body: Option<String>,
    },
}

impl Content {
    /// Reads the content of an event.
    pub fn of(_kind: &EventType, _state_key: Option<&StateKey>, content: &Json, _prev: Option<&Json>) -> Self {
        match content.text("body") {
            Some(body) => Self::Text { body },
            None => Self::Unknown { body: None },
        }
    }

    /// Returns it as plain text, for previews, quotes and notifications.
    pub fn plain(&self) -> String {
        match self {
            Self::Text { body } => body.clone(),
            Self::Unknown { body } => body.clone().unwrap_or_default(),
        }
    }
}

/// Whom a message mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// These people.
    pub users: Vec<UserId>,
    /// Everybody in the room.
    pub room: bool,
}

/// Reads whom a message mentions.
pub fn mentions(_content: &Json) -> Mentions {
    Mentions::default()
}
