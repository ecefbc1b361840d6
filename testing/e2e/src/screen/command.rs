use serde::{Deserialize, Serialize};

/// An order to a chat: see the [protocol](crate::screen).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the protocol's table says what each means")]
#[non_exhaustive]
pub enum ScreenCommand {
    Watch { room: String, want: usize },
    Act { room: String, deed: Deed, pick: u64, text: String },
    Enter { room: String },
    Remove { room: String, user: String },
    Invite { room: String, user: String },
    Older { room: String, want: usize },
    Read { room: String },
    Typing { room: String, is_typing: bool },
    Sent,
    Sees { room: String, event: String },
    Reads { room: String, user: String },
    Types { room: String, users: Vec<String> },
    Screen { path: String },
    Stop,
}

/// Something that a person does in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deed {
    /// Sends a text.
    Text,
    /// Answers a message, sent or not.
    Reply,
    /// Gives an own text another one, sent or not.
    Edit,
    /// Reacts to a message with the text.
    React,
    /// Takes an own reaction back.
    Unreact,
    /// Takes an own message back, sent or not.
    Redact,
    /// Takes a message back, whosever it is.
    Moderate,
    /// Sends the file at the path that is the text.
    File,
}

impl ScreenCommand {
    /// Tells if it may take long, and others should not wait for it.
    pub(super) fn waits(&self) -> bool {
        use ScreenCommand as C;
        matches!(
            self,
            C::Older { .. } | C::Sent | C::Sees { .. } | C::Reads { .. } | C::Types { .. } | C::Screen { .. }
        )
    }
}
