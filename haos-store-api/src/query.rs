//! The queries of a store besides those of a timeline.

use crate::{
    Error, EventId, EventType, MediaKey, Membership, RelationKind, Result, Room, RoomId, Scope, StateKey,
    TxnId, UserId,
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

/// State entries, by (kind, key); or a page of one kind, in an order of the store's own.
///
/// Keys stand in a store as hashes, so that a page by key would have to read every entry of the kind. The order of pages
/// is that of the hashes: it never changes while a store lives, also not when entries come and go, and another store has
/// another one. Who wants all entries of a kind that may be large reads page after page, each `after` the last key of
/// the one before, until a page has fewer entries than its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateQuery {
    /// The scope.
    pub scope: Scope,
    /// Only this kind.
    pub kind: Option<EventType>,
    /// Only this key.
    pub key: Option<StateKey>,
    /// Only those after this key, in the order of pages. It need not be stored any more.
    pub after: Option<StateKey>,
    /// The most entries.
    pub limit: usize,
}

impl StateQuery {
    /// Asks for everything in a scope.
    pub fn all(scope: Scope) -> Self {
        Self { scope, kind: None, key: None, after: None, limit: usize::MAX }
    }

    /// Asks for everything of one kind.
    pub fn kind(scope: Scope, kind: EventType) -> Self {
        Self { kind: Some(kind), ..Self::all(scope) }
    }

    /// Asks for one entry.
    pub fn one(scope: Scope, kind: EventType, key: StateKey) -> Self {
        Self { key: Some(key), ..Self::kind(scope, kind) }
    }

    /// Asks for the `limit` entries of one kind that follow `after`, or for the first ones.
    pub fn page(scope: Scope, kind: EventType, after: Option<StateKey>, limit: usize) -> Self {
        Self { after, limit, ..Self::kind(scope, kind) }
    }

    /// Tells whether it asks for a page, and of which kind: of all entries, if there is no limit either.
    ///
    /// # Errors
    /// `Invalid` for a page of several kinds, or of one key.
    pub fn paged(&self) -> Result<Option<&EventType>> {
        if self.after.is_none() && self.limit == usize::MAX {
            return Ok(None);
        }
        match (&self.kind, &self.key) {
            (Some(kind), None) => Ok(Some(kind)),
            _ => Err(Error::invalid("state", "a page is of one kind: name the kind, and no key")),
        }
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
