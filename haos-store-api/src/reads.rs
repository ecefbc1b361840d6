use crate::*;

/// The reads of a store over rows that do not change meanwhile, as a backend offers them to its shell. Each answers as
/// the method of [`StorageAdapter`] with its name.
pub trait Reads {
    /// Reads a room.
    ///
    /// # Errors
    /// As [`StorageAdapter::room`]; so each method below.
    fn room(&self, id: &RoomId) -> Result<Option<Room>>;
    /// Reads rooms by recency.
    fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>>;
    /// Reads a message.
    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    /// Reads a page of a timeline.
    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice>;
    /// Reads the gaps of a room, oldest first.
    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>>;
    /// Counts the messages of a room.
    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;
    /// Reads the messages that relate to others.
    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>>;
    /// Reads messages.
    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>>;
    /// Reads outbox rows.
    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>>;
    /// Reads a media item and a range of its bytes.
    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;
    /// Reads media items without their bytes.
    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>>;
    /// Reads state entries.
    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>>;
    /// Reads the sums of the collections.
    fn usage(&self) -> Result<Usage>;
}
