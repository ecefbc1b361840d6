//! What can be asked of a store besides a timeline.

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
    /// How many at most.
    pub limit: usize,
}

impl RoomQuery {
    /// The `limit` rooms of latest activity.
    pub fn latest(limit: usize) -> Self {
        Self { space: None, membership: None, after: None, limit }
    }
}

impl Default for RoomQuery {
    /// All rooms.
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
    /// How many at most, of the oldest.
    pub limit: usize,
}

impl RelationQuery {
    /// All that relates to one message.
    pub fn of(room: &RoomId, target: &EventId) -> Self {
        Self { room: room.clone(), targets: vec![target.clone()], kind: None, limit: usize::MAX }
    }
}

/// Messages by something else than their place.
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
        /// Who.
        sender: UserId,
        /// How many at most.
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
        /// How many at most, of the earliest.
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
    /// How many at most.
    pub limit: usize,
    /// Leave out rows that cannot be read, and count them in
    /// [`StoreInfo::damaged`](crate::StoreInfo::damaged): for a sender that must not be stopped by one row.
    /// Without it, the outbox is refused rather than shortened.
    pub skip_damaged: bool,
}

impl Default for PendingQuery {
    /// The whole outbox.
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

/// Media items, the one unused for longest first; ties by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaQuery {
    /// Only this item.
    pub key: Option<MediaKey>,
    /// Only those that this room refers to.
    pub room: Option<RoomId>,
    /// How many at most.
    pub limit: usize,
}

impl Default for MediaQuery {
    /// All items.
    fn default() -> Self {
        Self { key: None, room: None, limit: usize::MAX }
    }
}

/// State entries, by (kind, key).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateQuery {
    /// Whose.
    pub scope: Scope,
    /// Only this kind.
    pub kind: Option<EventType>,
    /// Only this key.
    pub key: Option<StateKey>,
}

impl StateQuery {
    /// Everything in a scope.
    pub fn all(scope: Scope) -> Self {
        Self { scope, kind: None, key: None }
    }

    /// Everything of one kind.
    pub fn kind(scope: Scope, kind: EventType) -> Self {
        Self { scope, kind: Some(kind), key: None }
    }

    /// One entry.
    pub fn one(scope: Scope, kind: EventType, key: StateKey) -> Self {
        Self { scope, kind: Some(kind), key: Some(key) }
    }
}

/// A range of bytes: `start..end`, cut at the end of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last; `u64::MAX` for all that follow.
    pub end: u64,
}

impl ByteRange {
    /// Every byte.
    pub const ALL: Self = Self { start: 0, end: u64::MAX };

    /// The part of an item of `size` bytes that the range covers; empty if it lies beyond.
    pub fn within(self, size: u64) -> std::ops::Range<u64> {
        let end = self.end.min(size);
        self.start.min(end)..end
    }
}
