use crate::{
    ByteRange, EventId, EventType, Gap, Media, MediaInfo, MediaKey, MediaQuery, Message, MessageQuery, Page,
    Pending, PendingQuery, RelationQuery, Result, Revision, Room, RoomId, RoomQuery, Scope, Slice,
    StateEntry, StateQuery, Usage,
};

/// The reads of [`StorageAdapter`](crate::StorageAdapter) over one commit, without waiting: a backend gives them to its
/// shell. Each does the same as the adapter's method of its name.
pub trait Reads {
    /// Reads one room.
    fn room(&self, id: &RoomId) -> Result<Option<Room>>;
    /// Reads rooms, latest activity first.
    fn rooms(&self, query: &RoomQuery) -> Result<Vec<Room>>;
    /// Reads one message.
    fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;
    /// Reads part of a timeline.
    fn timeline(&self, room: &RoomId, page: &Page) -> Result<Slice>;
    /// Reads parts of several timelines.
    fn timelines(&self, pages: &[(RoomId, Page)]) -> Result<Vec<Slice>> {
        pages.iter().map(|(room, page)| self.timeline(room, page)).collect()
    }
    /// Reads all gaps of a room, oldest first.
    fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>>;
    /// Counts a room's messages, or those newer than the given one.
    fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;
    /// Reads the messages that relate to others.
    fn related(&self, query: &RelationQuery) -> Result<Vec<Message>>;
    /// Reads messages by id, transaction, sender or time.
    fn messages(&self, query: &MessageQuery) -> Result<Vec<Message>>;
    /// Reads outbox rows, by sequence number.
    fn pending(&self, query: &PendingQuery) -> Result<Vec<Pending>>;
    /// Reads a range of a media item's bytes.
    fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;
    /// Reads media items without their bytes.
    fn media_index(&self, query: &MediaQuery) -> Result<Vec<MediaInfo>>;
    /// Reads state entries, by (kind, key).
    fn state(&self, query: &StateQuery) -> Result<Vec<StateEntry>>;
    /// Reads several lists of state entries; a damaged one is left out also where it is asked for alone.
    fn states(&self, queries: &[StateQuery]) -> Result<Vec<Vec<StateEntry>>>;
    /// Counts the state entries of a kind.
    fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64>;
    /// Counts rows and bytes of each collection, as far as the rows tell.
    fn usage(&self) -> Result<Usage>;
    /// Reads the number of the commit.
    fn revision(&self) -> Result<Revision>;
}
