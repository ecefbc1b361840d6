use haos_store_api::{Item, MediaInfo, MediaKey, Pending, Room, RoomId, StateEntry};

/// Some rows of one collection, as they are read from a store or an archive and written to another store.
///
/// The records of a store come in the order of the variants. The account's state comes before that of rooms: it says
/// whose store it is. All items of a room follow each other, the oldest first; the bytes of a media item follow its
/// description, from the first byte to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// Rooms.
    Rooms(Vec<Room>),
    /// State of one scope.
    State(Vec<StateEntry>),
    /// The next items of a room's timeline.
    Timeline(RoomId, Vec<Item>),
    /// A media item.
    Media(MediaInfo),
    /// The next bytes of the media item.
    MediaBytes {
        /// The item.
        key: MediaKey,
        /// The number of its bytes that came before.
        at: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Outbox rows, by sequence number.
    Pending(Vec<Pending>),
}
