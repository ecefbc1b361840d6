use serde::{Deserialize, Serialize};

use super::Revision;
use crate::{EventType, RoomId};

/// A room as the room list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its name, if known: the sync engine derives it, also from the members.
    pub name: Option<String>,
    /// Its topic.
    pub topic: Option<String>,
    /// The media uri of its avatar, as the server gave it.
    pub avatar: Option<String>,
    /// The type of room, such as `m.space`; absent for a conversation.
    pub kind: Option<EventType>,
    /// The own user's membership.
    pub membership: Membership,
    /// The spaces it belongs to.
    pub spaces: Vec<RoomId>,
    /// The time of the latest message, or of the own membership's beginning, in milliseconds since 1970: by the
    /// server's time, and never later than its arrival.
    pub last_activity_ms: i64,
    /// Its unread counts.
    pub unread: Unread,
    /// The commit that last changed this row or the room's timeline. Set by the store; ignored on write.
    pub revision: Revision,
}

impl Room {
    /// Makes a room of which only id and membership are known.
    pub fn new(id: RoomId, membership: Membership) -> Self {
        Self {
            id,
            name: None,
            topic: None,
            avatar: None,
            kind: None,
            membership,
            spaces: Vec::new(),
            last_activity_ms: 0,
            unread: Unread::default(),
            revision: Revision::ZERO,
        }
    }
}

/// The own user's relation to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Membership {
    /// Takes part.
    Join,
    /// Was asked to join.
    Invite,
    /// Asked to join.
    Knock,
    /// Left, or was removed.
    Leave,
    /// Was banned.
    Ban,
}

/// Unread counts, as the server gives them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Messages that notify.
    pub notifications: u64,
    /// Messages that mention the user.
    pub highlights: u64,
}
