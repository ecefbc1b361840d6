use std::fmt;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream::Fuse;
use haos_store_api::{ByteRange, MediaKey};

use super::MediaError;
use super::intake::PORTION;
use super::shelf::Shelf;
use crate::{Chunks, Download};

/// A whole item, a portion at a time, from the store or past it.
pub struct MediaStream {
    /// Its media type, if it is known.
    pub mime: Option<String>,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
    read: u64,
    from: From,
}

enum From {
    Store(Arc<Shelf>, MediaKey),
    Server(Fuse<Chunks>),
}

impl MediaStream {
    pub(super) fn stored(shelf: Arc<Shelf>, key: MediaKey, mime: Option<String>, size: u64) -> Self {
        Self { mime, size: Some(size), read: 0, from: From::Store(shelf, key) }
    }

    pub(super) fn passing(download: Download) -> Self {
        Self { mime: download.mime, size: download.size, read: 0, from: From::Server(download.chunks.fuse()) }
    }

    /// The next bytes; none after the last.
    ///
    /// # Errors
    /// `Incomplete` if the server ended early, `NotStored` if the item was evicted meanwhile, those of the
    /// server and of the store. There is nothing to go on with after an error: ask for a new stream.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, MediaError> {
        let bytes = match &mut self.from {
            From::Store(shelf, key) => {
                let range = ByteRange { start: self.read, end: self.read.saturating_add(PORTION as u64) };
                match shelf.read(key, range).await? {
                    Some(media) if self.size == Some(media.info.size) => media.bytes,
                    _ => return Err(MediaError::NotStored),
                }
            }
            From::Server(chunks) => loop {
                match chunks.next().await.transpose()? {
                    Some(bytes) if bytes.is_empty() => {}
                    bytes => break bytes.unwrap_or_default(),
                }
            },
        };
        self.read += bytes.len() as u64;
        match self.size {
            Some(expected) if self.read > expected || (bytes.is_empty() && self.read < expected) => {
                Err(MediaError::Incomplete { expected, received: self.read })
            }
            _ => Ok(Some(bytes).filter(|bytes| !bytes.is_empty())),
        }
    }
}

impl fmt::Debug for MediaStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("MediaStream");
        f.field("mime", &self.mime)
            .field("size", &self.size)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}
