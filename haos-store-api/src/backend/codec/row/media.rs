use super::super::body::MediaBody;
use super::super::frame::own_key;
use super::super::{Codec, Key, Payload, RowRef};
use crate::*;

/// A media item without its bytes: size, use and pin stay columns.
#[derive(Debug, Clone)]
pub struct MediaRow {
    /// Its key.
    pub key: Key,
    /// The other fields.
    pub payload: Payload,
}

/// The columns of a media item that its payload is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaColumns {
    /// The number that its chunks are stored under.
    pub blob: u64,
    /// Its size in bytes.
    pub size: u64,
    /// The time of its latest use.
    pub last_access_ms: i64,
    /// True if eviction spares it.
    pub pinned: bool,
    /// The commit that wrote the payload.
    pub written: Revision,
}

/// A chunk of a media item's bytes, bound to its blob number and place.
#[derive(Debug, Clone)]
pub struct ChunkRow {
    /// The bytes.
    pub payload: Payload,
}

impl Codec {
    /// Makes the row of a media item whose chunks are stored under `blob`, as the commit `written` writes it.
    pub fn media_row(&self, info: &MediaInfo, blob: u64, written: Revision) -> Result<MediaRow> {
        let key = self.media_key(&info.key);
        let body = MediaBody {
            key: info.key.clone(),
            mime: info.mime.clone(),
            rooms: info.rooms.clone(),
            fetched_at_ms: info.fetched_at_ms,
        };
        let columns = MediaColumns {
            blob,
            size: info.size,
            last_access_ms: info.last_access_ms,
            pinned: info.pinned,
            written,
        };
        let payload = self.seal(&RowRef::Media { key: &key, columns }, &body)?;
        Ok(MediaRow { key, payload })
    }

    /// Reads the media item of a row.
    pub fn media_info(&self, key: &Key, columns: MediaColumns, payload: &[u8]) -> Result<MediaInfo> {
        let row = &RowRef::Media { key, columns };
        let body: MediaBody = self.open(row, payload)?;
        own_key(self, row, || self.media_key(&body.key))?;
        Ok(MediaInfo {
            key: body.key,
            size: columns.size,
            mime: body.mime,
            rooms: body.rooms,
            last_access_ms: columns.last_access_ms,
            fetched_at_ms: body.fetched_at_ms,
            pinned: columns.pinned,
        })
    }

    /// Makes the row of chunk `index` of the blob with number `blob`. A blob keeps its number when its item is renamed,
    /// so that no bytes move.
    ///
    /// # Errors
    /// `Unavailable` if the system gives no randomness for a sealed row.
    pub fn chunk_row(&self, blob: u64, index: u64, bytes: &[u8]) -> Result<ChunkRow> {
        Ok(ChunkRow { payload: self.seal_raw(&RowRef::Chunk { blob, index }, bytes)? })
    }

    /// Reads the bytes of a chunk row.
    pub fn chunk(&self, blob: u64, index: u64, payload: &[u8]) -> Result<Vec<u8>> {
        self.open_raw(&RowRef::Chunk { blob, index }, payload)
    }
}
