use crate::{
    ByteRange, EventId, Gap, Media, MediaInfo, MediaKey, MediaQuery, Message, MessageQuery, Page, Pending,
    PendingQuery, RelationQuery, Result, Room, RoomId, RoomQuery, Slice, StateEntry, StateQuery, Usage,
};

/// The reads of [`StorageAdapter`](crate::StorageAdapter) over one commit, without waiting: what a backend gives to the
/// shell that stands before it. Each means what the adapter's method of the same name does.
pub trait Reads {
    /// One room.
    fn room(&self, id: &RoomId) -> Result<Option<Room>>;
    /// Rooms, latest activity first.
    fn rooms(&self, query: &RoomQuery) -> Result<Vec<Room>>;
    /// One message.
    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    /// Part of a timeline.
    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice>;
    /// All gaps of a room, oldest first.
    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>>;
    /// How many messages a room has, or how many are newer than the given one.
    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;
    /// Messages that relate to others.
    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>>;
    /// Messages by id, transaction, sender or time.
    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>>;
    /// Outbox rows, by sequence number.
    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>>;
    /// A range of a media item's bytes.
    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;
    /// Media items without their bytes.
    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>>;
    /// State entries, by (kind, key).
    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>>;
    /// Rows and bytes a collection, as far as the rows tell.
    fn usage(&self) -> Result<Usage>;
}
