use super::super::body::MediaBody;
use super::super::{Codec, Key, Payload};
use crate::*;

/// A media item without its bytes: size, use and pin stay columns.
#[derive(Debug, Clone)]
pub struct MediaRow {
    /// Its key.
    pub key: Key,
    /// The rest.
    pub payload: Payload,
}

/// A chunk of a media item's bytes, bound to its blob number and place.
#[derive(Debug, Clone)]
pub struct ChunkRow {
    /// The bytes.
    pub payload: Payload,
}

impl Codec {
    /// The row of a media item.
    pub fn media_row(&self, info: &MediaInfo) -> Result<MediaRow> {
        let key = self.media_key(&info.key);
        let body = MediaBody {
            key: info.key.clone(),
            mime: info.mime.clone(),
            rooms: info.rooms.clone(),
            fetched_at_ms: info.fetched_at_ms,
        };
        Ok(MediaRow { key, payload: self.seal(Collection::Media, &key, &body)? })
    }

    /// The media item of a row.
    pub fn media_info(
        &self,
        key: &Key,
        size: u64,
        last_access_ms: i64,
        pinned: bool,
        payload: &[u8],
    ) -> Result<MediaInfo> {
        let body: MediaBody = self.open(Collection::Media, key, payload)?;
        Ok(MediaInfo {
            key: body.key,
            size,
            mime: body.mime,
            rooms: body.rooms,
            last_access_ms,
            fetched_at_ms: body.fetched_at_ms,
            pinned,
        })
    }

    /// The row of chunk `index` of the blob with number `blob`. A blob keeps its number when its item
    /// is renamed, so that no bytes move.
    pub fn chunk_row(&self, blob: u64, index: u64, bytes: &[u8]) -> ChunkRow {
        ChunkRow { payload: self.seal_raw(&self.chunk_key(blob, index), bytes) }
    }

    /// The bytes of a chunk row.
    pub fn chunk(&self, blob: u64, index: u64, payload: &[u8]) -> Result<Vec<u8>> {
        self.open_raw(Collection::Media, &self.chunk_key(blob, index), payload)
    }
}
