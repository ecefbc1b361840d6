use crate::*;

/// The outcome of an insert into a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is stored.
    Done,
    /// A message with this id is stored already; nothing was written.
    Exists(Box<Message>),
    /// Another message has the position; nothing was written.
    Taken,
}

/// The rows of a store within one transaction. A backend moves them and knows no rule: [`super::apply`] decides which
/// method is called when, and with which arguments.
pub trait Rows: RoomRows + TimelineRows + OutboxRows + MediaRows + StateRows {}

impl<R: RoomRows + TimelineRows + OutboxRows + MediaRows + StateRows + ?Sized> Rows for R {}

/// The rows of rooms.
pub trait RoomRows {
    /// Reads the room row.
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>>;
    /// Inserts or replaces the room row, `revision` included.
    fn write_room(&mut self, room: &Room) -> Result<()>;
    /// Deletes the room row, and its messages, gaps and state.
    fn delete_room(&mut self, id: &RoomId) -> Result<()>;
}

/// The rows of timelines: messages and gaps.
pub trait TimelineRows {
    /// Inserts a message unless its id or its position is taken. The room row exists.
    fn insert_message(&mut self, message: &Message) -> Result<Inserted>;
    /// Reads a message by id.
    fn message(&mut self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    /// Tells whether a message stands at the position.
    fn is_taken(&mut self, room: &RoomId, position: Position) -> Result<bool>;
    /// Replaces the message that stands at `at`; the new one may stand elsewhere, at a free position.
    fn update_message(&mut self, at: Position, message: &Message) -> Result<()>;
    /// Deletes the message that stands at the position.
    fn delete_message(&mut self, room: &RoomId, at: Position) -> Result<()>;
    /// Lists the positions of all messages of a room, ascending.
    fn positions(&mut self, room: &RoomId) -> Result<Vec<Position>>;
    /// Deletes messages and gaps from `oldest` to `newest`, both included.
    fn delete_span(&mut self, room: &RoomId, oldest: Position, newest: Position) -> Result<()>;
    /// Moves messages and gaps, all at once. Sources exist, targets are free or sources themselves.
    fn renumber(&mut self, room: &RoomId, moves: &[(Position, Position)], revision: Revision) -> Result<()>;

    /// Reads all gaps of a room, ascending.
    fn gaps(&mut self, room: &RoomId) -> Result<Vec<Gap>>;
    /// Reads the newest gap of a room that stands at a position or before it, and the oldest one after it.
    ///
    /// A backend that finds them without reading all gaps writes its own: each batch asks for them some times.
    fn gaps_beside(&mut self, room: &RoomId, at: Position) -> Result<[Option<Gap>; 2]> {
        let mut gaps = self.gaps(room)?;
        let mut newer = gaps.split_off(gaps.partition_point(|gap| gap.position <= at)).into_iter();
        Ok([gaps.pop(), newer.next()])
    }
    /// Inserts or replaces a gap, `revision` included. The room row exists.
    fn write_gap(&mut self, gap: &Gap) -> Result<()>;
    /// Deletes a gap.
    fn delete_gap(&mut self, room: &RoomId, position: Position) -> Result<()>;
}

/// The rows of the outbox.
pub trait OutboxRows {
    /// Reads an outbox row.
    fn pending(&mut self, txn_id: &TxnId) -> Result<Option<Pending>>;
    /// Reads every outbox row.
    fn all_pending(&mut self) -> Result<Vec<Pending>>;
    /// Gives the next sequence number; gives no number twice, also after its row is removed.
    fn next_seq(&mut self) -> Result<u64>;
    /// Inserts or replaces an outbox row, `seq` and `revision` included.
    fn write_pending(&mut self, pending: &Pending) -> Result<()>;
    /// Deletes an outbox row.
    fn delete_pending(&mut self, txn_id: &TxnId) -> Result<()>;
}

/// The rows of media items, and their bytes.
pub trait MediaRows {
    /// Reads a media item.
    fn media_info(&mut self, key: &MediaKey) -> Result<Option<MediaInfo>>;
    /// Reads every media item.
    fn all_media(&mut self) -> Result<Vec<MediaInfo>>;
    /// Reads all bytes of a media item.
    fn media_bytes(&mut self, key: &MediaKey) -> Result<Vec<u8>>;
    /// Inserts or replaces a media item's row, `size` included, not its bytes.
    fn write_media_info(&mut self, info: &MediaInfo) -> Result<()>;
    /// Writes bytes from `at` on, which is the item's length so far. Its row exists.
    fn append_media(&mut self, key: &MediaKey, at: u64, bytes: &[u8]) -> Result<()>;
    /// Gives an item another key; nothing is stored under that one.
    fn rename_media(&mut self, from: &MediaKey, to: &MediaInfo) -> Result<()>;
    /// Deletes a media item and its bytes, also one whose row cannot be read. Tells whether there was one.
    fn delete_media(&mut self, key: &MediaKey) -> Result<bool>;
}

/// The rows of state.
pub trait StateRows {
    /// Reads a state entry.
    fn state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<Option<StateEntry>>;
    /// Inserts or replaces a state entry. A room scope's room row exists.
    fn write_state(&mut self, entry: &StateEntry) -> Result<()>;
    /// Deletes a state entry, also one that cannot be read. Tells whether there was one.
    fn delete_state(&mut self, scope: &Scope, kind: &EventType, key: &StateKey) -> Result<bool>;
}
