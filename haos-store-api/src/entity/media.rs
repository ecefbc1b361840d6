use serde::{Deserialize, Serialize};

use crate::{MediaFormat, MediaUri, RoomId};

/// The key of a media item: a uri and a rendition of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MediaKey {
    /// Its location.
    pub uri: MediaUri,
    /// The rendition; empty for the file itself.
    pub format: MediaFormat,
}

/// A media item without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaInfo {
    /// Its key.
    pub key: MediaKey,
    /// The bytes stored. Kept by the store; ignored on write.
    pub size: u64,
    /// Its media type, such as `image/png`.
    pub mime: Option<String>,
    /// The rooms that refer to it.
    pub rooms: Vec<RoomId>,
    /// The latest use, in milliseconds since 1970.
    pub last_access_ms: i64,
    /// The time of fetching or staging.
    pub fetched_at_ms: i64,
    /// Never evicted while true.
    pub pinned: bool,
}

/// A media item and the requested range of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// The item.
    pub info: MediaInfo,
    /// The bytes of the range, cut at the item's end.
    pub bytes: Vec<u8>,
}
