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
    #[cfg(feature = "e2ee")]
    opening: Option<super::sealed::Opening>,
}

enum From {
    Store(Arc<Shelf>, MediaKey),
    Server(Fuse<Chunks>),
}

impl MediaStream {
    pub(super) fn stored(shelf: Arc<Shelf>, key: MediaKey, mime: Option<String>, size: u64) -> Self {
        Self::of(mime, Some(size), From::Store(shelf, key))
    }

    pub(super) fn passing(download: Download) -> Self {
        Self::of(download.mime, download.size, From::Server(download.chunks.fuse()))
    }

    fn of(mime: Option<String>, size: Option<u64>, from: From) -> Self {
        Self {
            mime,
            size,
            read: 0,
            from,
            #[cfg(feature = "e2ee")]
            opening: None,
        }
    }

    /// The same, decrypted.
    #[cfg(feature = "e2ee")]
    pub(super) fn opened(self, file: crate::e2ee::SealedFile) -> Self {
        let mime = file.mime.clone();
        Self { mime, opening: Some(super::sealed::Opening::new(file)), ..self }
    }

    /// The next bytes; none after the last.
    ///
    /// # Errors
    /// `Incomplete` if the server ended early, `NotStored` if the item was evicted meanwhile, `Altered` after the last of
    /// them if they are not those that were encrypted, those of the server and of the store. There is nothing to go on
    /// with after an error: ask for a new stream.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, MediaError> {
        #[cfg_attr(not(feature = "e2ee"), allow(unused_mut, reason = "they are given as they come"))]
        let mut bytes = match &mut self.from {
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
        #[cfg(feature = "e2ee")]
        let at = self.read;
        self.read += bytes.len() as u64;
        match self.size {
            Some(expected) if self.read > expected || (bytes.is_empty() && self.read < expected) => {
                return Err(MediaError::Incomplete { expected, received: self.read });
            }
            _ => {}
        }
        #[cfg(feature = "e2ee")]
        if let Some(opening) = &mut self.opening {
            opening.open(at, &mut bytes)?;
        }
        Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
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
