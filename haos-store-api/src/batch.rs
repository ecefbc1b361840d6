//! One write: operations, preconditions and required durability.

use crate::{
    EventId, EventType, Gap, Json, MediaInfo, MediaKey, Message, Pending, Position, Revision, Room, RoomId,
    Scope, StateEntry, StateKey, TxnId,
};

/// The failure that a commit survives once `apply` has returned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Durability {
    /// A crash of the process. For data that can be fetched again.
    #[default]
    Relaxed,
    /// Power loss. For data that the user wrote.
    Strict,
}

/// A condition that must still hold when a batch is applied; otherwise `Conflict`, and nothing is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// The room is at this revision; `None`: it is not stored.
    Room(RoomId, Option<Revision>),
    /// The outbox row is at this revision; `None`: it is not stored.
    Pending(TxnId, Option<Revision>),
    /// The gap is at this revision; `None`: it is not stored.
    Gap(RoomId, Position, Option<Revision>),
    /// The state entry has this value; `None`: it is not stored.
    State(Scope, EventType, StateKey, Option<Json>),
}

/// One operation. Exhaustive on purpose: a backend that misses one must not compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Stores or replaces a room row.
    PutRoom(Room),
    /// Removes a room with its messages, gaps and state. Outbox rows stay: they are the user's.
    RemoveRoom(RoomId),
    /// Stores a message, or merges it with the stored one (see [`crate::law::resolve_message`]).
    PutMessage(Message),
    /// Removes a message.
    RemoveMessage(RoomId, EventId),
    /// Empties a message: its content becomes the given one, for good.
    Redact(Redact),
    /// Keeps the newest `keep` messages of a room; removed ones leave gaps.
    Prune(Prune),
    /// Stores or replaces a gap.
    PutGap(Gap),
    /// Removes the gap at a position.
    RemoveGap(RoomId, Position),
    /// Moves messages and gaps to other positions, all at once.
    Renumber(RoomId, Vec<(Position, Position)>),
    /// Stores or replaces an outbox row (see [`crate::law::resolve_pending`]).
    PutPending(Pending),
    /// Removes an outbox row.
    RemovePending(TxnId),
    /// Stores a media item, replacing its bytes.
    PutMedia(MediaInfo, Vec<u8>),
    /// Appends bytes to a media item that has exactly `at` bytes now; else `Conflict`.
    AppendMedia {
        /// The item.
        key: MediaKey,
        /// Its size before.
        at: u64,
        /// The bytes that follow.
        bytes: Vec<u8>,
    },
    /// Renames a media item (local to remote). Does nothing if it is not stored.
    RenameMedia(MediaKey, MediaKey),
    /// Records a use of media items.
    TouchMedia(Vec<MediaKey>, i64),
    /// Protects a media item from eviction, or no longer does. Does nothing if it is not stored.
    PinMedia(MediaKey, bool),
    /// Removes a media item.
    RemoveMedia(MediaKey),
    /// Removes media that exceeds the policy, but no item that is pinned or waits in the outbox.
    EvictMedia(MediaPolicy, i64),
    /// Stores or replaces a state entry.
    PutState(StateEntry),
    /// Removes a state entry.
    RemoveState(Scope, EventType, StateKey),
}

/// Empties a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redact {
    /// Its room.
    pub room: RoomId,
    /// The message.
    pub target: EventId,
    /// The event that asks for it.
    pub by: EventId,
    /// The part of its content that the protocol keeps; mostly `{}`.
    pub content: Json,
}

/// Forgets old messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prune {
    /// The room.
    pub room: RoomId,
    /// The number of newest messages to keep.
    pub keep: u64,
    /// Older ones to keep too: pinned, or referred to by a draft. Targets of outbox rows always stay.
    pub protect: Vec<EventId>,
}

/// The media that a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaPolicy {
    /// Bytes in all.
    pub max_total: u64,
    /// Bytes of one item.
    pub max_item: u64,
    /// Milliseconds since the latest use.
    pub max_idle_ms: i64,
}

impl Default for MediaPolicy {
    /// Returns 400 MiB, 20 MiB an item, 60 days.
    fn default() -> Self {
        Self { max_total: 400 << 20, max_item: 20 << 20, max_idle_ms: 60 * 24 * 3600 * 1000 }
    }
}

/// All or nothing: operations in order, applied in one transaction.
///
/// ```
/// use haos_store_api::{Membership, Room, RoomId, WriteBatch};
/// # fn main() -> haos_store_api::Result<()> {
/// let room = RoomId::new("!lobby")?;
/// let mut batch = WriteBatch::strict();
/// batch.expect_room(&room, None).put_room(Room::new(room.clone(), Membership::Join));
/// assert_eq!(batch.ops().len(), 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use = "a batch does nothing until it is applied"]
pub struct WriteBatch {
    ops: Vec<Op>,
    preconditions: Vec<Precondition>,
    durability: Durability,
}

macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $ty:ty),*) => $op:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&mut self, $($arg: $ty),*) -> &mut Self {
            self.push($op)
        })*
    };
}

impl WriteBatch {
    /// Makes an empty batch for data that can be fetched again.
    pub fn relaxed() -> Self {
        Self::default()
    }

    /// Makes an empty batch that survives power loss.
    pub fn strict() -> Self {
        Self { durability: Durability::Strict, ..Self::default() }
    }

    /// Adds an operation.
    pub fn push(&mut self, op: Op) -> &mut Self {
        self.ops.push(op);
        self
    }

    ops! {
        /// See [`Op::PutRoom`].
        put_room(room: Room) => Op::PutRoom(room);
        /// See [`Op::RemoveRoom`].
        remove_room(room: RoomId) => Op::RemoveRoom(room);
        /// See [`Op::PutMessage`].
        put_message(message: Message) => Op::PutMessage(message);
        /// See [`Op::RemoveMessage`].
        remove_message(room: RoomId, event: EventId) => Op::RemoveMessage(room, event);
        /// See [`Op::Redact`].
        redact(redact: Redact) => Op::Redact(redact);
        /// See [`Op::Prune`].
        prune(prune: Prune) => Op::Prune(prune);
        /// See [`Op::PutGap`].
        put_gap(gap: Gap) => Op::PutGap(gap);
        /// See [`Op::RemoveGap`].
        remove_gap(room: RoomId, position: Position) => Op::RemoveGap(room, position);
        /// See [`Op::Renumber`].
        renumber(room: RoomId, moves: Vec<(Position, Position)>) => Op::Renumber(room, moves);
        /// See [`Op::PutPending`].
        put_pending(pending: Pending) => Op::PutPending(pending);
        /// See [`Op::RemovePending`].
        remove_pending(txn_id: TxnId) => Op::RemovePending(txn_id);
        /// See [`Op::PutMedia`].
        put_media(info: MediaInfo, bytes: Vec<u8>) => Op::PutMedia(info, bytes);
        /// See [`Op::AppendMedia`].
        append_media(key: MediaKey, at: u64, bytes: Vec<u8>) => Op::AppendMedia { key, at, bytes };
        /// See [`Op::RenameMedia`].
        rename_media(from: MediaKey, to: MediaKey) => Op::RenameMedia(from, to);
        /// See [`Op::TouchMedia`].
        touch_media(keys: Vec<MediaKey>, now_ms: i64) => Op::TouchMedia(keys, now_ms);
        /// See [`Op::PinMedia`].
        pin_media(key: MediaKey, pinned: bool) => Op::PinMedia(key, pinned);
        /// See [`Op::RemoveMedia`].
        remove_media(key: MediaKey) => Op::RemoveMedia(key);
        /// See [`Op::EvictMedia`].
        evict_media(policy: MediaPolicy, now_ms: i64) => Op::EvictMedia(policy, now_ms);
        /// See [`Op::PutState`].
        put_state(entry: StateEntry) => Op::PutState(entry);
        /// See [`Op::RemoveState`].
        remove_state(scope: Scope, kind: EventType, key: StateKey) => Op::RemoveState(scope, kind, key);
    }

    /// Adds a precondition.
    pub fn expect(&mut self, precondition: Precondition) -> &mut Self {
        self.preconditions.push(precondition);
        self
    }

    /// Requires the room at `revision`; `None`: not stored.
    pub fn expect_room(&mut self, room: &RoomId, revision: Option<Revision>) -> &mut Self {
        self.expect(Precondition::Room(room.clone(), revision))
    }

    /// Requires the outbox row at `revision`; `None`: not stored.
    pub fn expect_pending(&mut self, txn_id: &TxnId, revision: Option<Revision>) -> &mut Self {
        self.expect(Precondition::Pending(txn_id.clone(), revision))
    }

    /// Requires the gap, at its revision.
    pub fn expect_gap(&mut self, gap: &Gap) -> &mut Self {
        self.expect(Precondition::Gap(gap.room.clone(), gap.position, Some(gap.revision)))
    }

    /// Requires this value of the state entry; `None`: not stored.
    pub fn expect_state(
        &mut self,
        scope: Scope,
        kind: EventType,
        key: StateKey,
        value: Option<Json>,
    ) -> &mut Self {
        self.expect(Precondition::State(scope, kind, key, value))
    }

    /// Returns the operations, in order.
    pub fn ops(&self) -> &[Op] {
        &self.ops
    }

    /// Returns the preconditions.
    pub fn preconditions(&self) -> &[Precondition] {
        &self.preconditions
    }

    /// Returns the required durability.
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Tells whether it has neither operations nor preconditions.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.preconditions.is_empty()
    }
}

/// The outcome of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// The store's revision after the batch.
    pub revision: Revision,
    /// True if it changed anything. If not, the revision is the one before.
    pub changed: bool,
    /// The sequence numbers given to new outbox rows, in the order of the batch.
    pub assigned: Vec<(TxnId, u64)>,
}
