//! The queries of a store besides those of a timeline.

use crate::{
    EventId, EventType, MediaKey, Membership, RelationKind, Room, RoomId, Scope, StateKey, TxnId, UserId,
};

/// Rooms, latest activity first; ties by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomQuery {
    /// Only those in this space.
    pub space: Option<RoomId>,
    /// Only those with this membership.
    pub membership: Option<Membership>,
    /// Only those after this place in the order.
    pub after: Option<RoomCursor>,
    /// The most rooms.
    pub limit: usize,
}

impl RoomQuery {
    /// Asks for the `limit` rooms of latest activity.
    pub fn latest(limit: usize) -> Self {
        Self { space: None, membership: None, after: None, limit }
    }
}

impl Default for RoomQuery {
    /// Asks for all rooms.
    fn default() -> Self {
        Self::latest(usize::MAX)
    }
}

/// A place in the order of rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomCursor {
    /// The last room's activity.
    pub last_activity_ms: i64,
    /// The last room's id.
    pub id: RoomId,
}

impl From<&Room> for RoomCursor {
    fn from(room: &Room) -> Self {
        Self { last_activity_ms: room.last_activity_ms, id: room.id.clone() }
    }
}

/// Messages that relate to others, in timeline order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationQuery {
    /// The room.
    pub room: RoomId,
    /// The messages they are about.
    pub targets: Vec<EventId>,
    /// Only this kind.
    pub kind: Option<RelationKind>,
    /// The most messages, the oldest first.
    pub limit: usize,
}

impl RelationQuery {
    /// Asks for everything related to one message.
    pub fn of(room: &RoomId, target: &EventId) -> Self {
        Self { room: room.clone(), targets: vec![target.clone()], kind: None, limit: usize::MAX }
    }
}

/// Messages by another criterion than their place.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MessageQuery {
    /// Those of the ids that are stored, in timeline order.
    Ids {
        /// The room.
        room: RoomId,
        /// Their ids.
        events: Vec<EventId>,
    },
    /// Own messages sent under a transaction id, in any room, by (room, position).
    Txn(TxnId),
    /// The newest messages of a sender in a room, newest first.
    Sender {
        /// The room.
        room: RoomId,
        /// The sender.
        sender: UserId,
        /// The most messages.
        limit: usize,
    },
    /// Messages of a room with a server time in `from_ms..until_ms`, by (time, position).
    Time {
        /// The room.
        room: RoomId,
        /// From, included.
        from_ms: i64,
        /// Until, excluded.
        until_ms: i64,
        /// The most messages, the earliest first.
        limit: usize,
    },
}

/// Outbox rows, by sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingQuery {
    /// Only this row.
    pub txn_id: Option<TxnId>,
    /// Only of this room.
    pub room: Option<RoomId>,
    /// Only the row that the server accepted as this event.
    pub event_id: Option<EventId>,
    /// Only rows with `not_before_ms` up to this moment.
    pub due_ms: Option<i64>,
    /// Only rows that wait for this one.
    pub parent: Option<TxnId>,
    /// Only rows with a greater sequence number.
    pub after_seq: u64,
    /// The most rows.
    pub limit: usize,
    /// Leaves out unreadable rows, and counts them in [`StoreInfo::damaged`](crate::StoreInfo::damaged): for a sender
    /// that one row must not stop. Without it, the outbox is refused rather than shortened.
    pub skip_damaged: bool,
}

impl Default for PendingQuery {
    /// Asks for the whole outbox.
    fn default() -> Self {
        Self {
            txn_id: None,
            room: None,
            event_id: None,
            due_ms: None,
            parent: None,
            after_seq: 0,
            limit: usize::MAX,
            skip_damaged: false,
        }
    }
}

/// Media items, the least recently used first; ties by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaQuery {
    /// Only this item.
    pub key: Option<MediaKey>,
    /// Only those that this room refers to.
    pub room: Option<RoomId>,
    /// The most items.
    pub limit: usize,
}

impl Default for MediaQuery {
    /// Asks for all items.
    fn default() -> Self {
        Self { key: None, room: None, limit: usize::MAX }
    }
}

/// State entries, by (kind, key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateQuery {
    /// The scope.
    pub scope: Scope,
    /// Only this kind.
    pub kind: Option<EventType>,
    /// Only this key.
    pub key: Option<StateKey>,
}

impl StateQuery {
    /// Asks for everything in a scope.
    pub fn all(scope: Scope) -> Self {
        Self { scope, kind: None, key: None }
    }

    /// Asks for everything of one kind.
    pub fn kind(scope: Scope, kind: EventType) -> Self {
        Self { scope, kind: Some(kind), key: None }
    }

    /// Asks for one entry.
    pub fn one(scope: Scope, kind: EventType, key: StateKey) -> Self {
        Self { scope, kind: Some(kind), key: Some(key) }
    }
}

/// A range of bytes: `start..end`, cut at the end of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last; `u64::MAX` for the item's end.
    pub end: u64,
}

impl ByteRange {
    /// Every byte.
    pub const ALL: Self = Self { start: 0, end: u64::MAX };

    /// Returns the part of an item of `size` bytes that the range covers; empty if it lies beyond.
    pub fn within(self, size: u64) -> std::ops::Range<u64> {
        let end = self.end.min(size);
        self.start.min(end)..end
    }
}
