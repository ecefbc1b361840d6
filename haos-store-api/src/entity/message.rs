use serde::{Deserialize, Serialize};

use super::Revision;
use crate::{EventId, EventType, Json, Position, RoomId, StateKey, TxnId, UserId};

/// One event of a room's timeline, as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its room.
    pub room: RoomId,
    /// Its id, unique in the room.
    pub id: EventId,
    /// Its place in the timeline.
    pub position: Position,
    /// Its sender.
    pub sender: UserId,
    /// The server's time, in milliseconds since 1970. It is shown and orders several edits; it never sorts a timeline.
    pub timestamp_ms: i64,
    /// Its type, such as `m.room.message`.
    pub kind: EventType,
    /// The key, if it is a state event.
    pub state_key: Option<StateKey>,
    /// Its content, byte for byte.
    pub content: Json,
    /// Its relation to another message.
    pub relation: Option<Relation>,
    /// The transaction id, on the device that sent it.
    pub txn_id: Option<TxnId>,
    /// The redaction that emptied it.
    pub redacted_by: Option<EventId>,
    /// True if stored from a send's answer and not yet seen in a sync: its place is a guess, and it is no anchor.
    pub provisional: bool,
    /// Other members of the event worth keeping, byte for byte.
    pub extra: Option<Json>,
}

/// A message's relation to another of the same room.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Relation {
    /// Its kind.
    pub kind: RelationKind,
    /// The message it is about.
    pub target: EventId,
    /// The key of a reaction, such as an emoji.
    pub key: Option<String>,
}

/// The kinds of relation that aggregation knows; all others by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RelationKind {
    /// New content for the target.
    Edit,
    /// A reaction with a key.
    Reaction,
    /// An answer to the target.
    Reply,
    /// A message of the thread that the target began.
    Thread,
    /// Removal of the target's content.
    Redaction,
    /// Another relation, by its protocol name.
    Other(String),
    /// A relation that its protocol has readers ignore, such as an edit without new content: the message counts nowhere
    /// and is not shown.
    Ignored,
}

impl RelationKind {
    /// Tells whether a message of this relation shows at its target, or nowhere, instead of in its own place.
    pub fn is_hidden(&self) -> bool {
        matches!(self, Self::Edit | Self::Reaction | Self::Redaction | Self::Ignored)
    }
}

/// A hole in a timeline: messages that the server has and the store lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// Its room.
    pub room: RoomId,
    /// Its place; no message has the same one.
    pub position: Position,
    /// The server's token that pages from the newer edge towards older messages. Absent after pruning: ask the server
    /// for the context of the next newer message.
    pub token: Option<String>,
    /// The commit that last wrote it. Set by the store; ignored on write.
    pub revision: Revision,
}
