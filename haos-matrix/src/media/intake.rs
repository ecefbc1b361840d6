use haos_store_api::{MediaInfo, MediaKey, WriteBatch};

use super::MediaError;
use super::flights::Rooms;
use super::partial::Partial;
use super::shelf::Shelf;

/// Bytes a commit, and the most of an item that is in memory beside the portion that came. Whole chunks of
/// the store.
pub(super) const PORTION: usize = 4 * 64 * 1024;

/// Bytes on their way into the store.
pub(super) struct Intake<'a> {
    shelf: &'a Shelf,
    key: &'a MediaKey,
    mime: Option<String>,
    rooms: Rooms,
    /// The announced size.
    expected: Option<u64>,
    buffer: Vec<u8>,
    written: u64,
    /// The place of the bytes, once they are more than one portion.
    partial: Option<Partial>,
}

impl<'a> Intake<'a> {
    /// Begins an item.
    ///
    /// # Errors
    /// `TooLarge` if it is announced to be.
    pub(super) fn new(
        shelf: &'a Shelf,
        key: &'a MediaKey,
        mime: Option<String>,
        expected: Option<u64>,
        rooms: Rooms,
    ) -> Result<Self, MediaError> {
        let intake =
            Self { shelf, key, mime, rooms, expected, buffer: Vec::new(), written: 0, partial: None };
        intake.check(expected.unwrap_or(0)).map(|()| intake)
    }

    /// Takes bytes.
    pub(super) async fn take(&mut self, bytes: &[u8]) -> Result<(), MediaError> {
        let received = self.received() + bytes.len() as u64;
        self.check(received)?;
        match self.expected {
            Some(expected) if received > expected => {
                return Err(MediaError::Incomplete { expected, received });
            }
            _ => {}
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            // A full buffer stays until more comes: what fits into one is written whole, under its name.
            if self.buffer.len() == PORTION {
                self.write().await?;
            }
            let (now, later) = rest.split_at(rest.len().min(PORTION - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            rest = later;
        }
        Ok(())
    }

    /// Ends the item and gives it its name; its size.
    pub(super) async fn finish(mut self) -> Result<u64, MediaError> {
        let size = self.received();
        match self.expected {
            Some(expected) if expected != size => {
                return Err(MediaError::Incomplete { expected, received: size });
            }
            _ => {}
        }
        // Another context was faster. Its item may be pinned by now, or known to other rooms: it stays.
        if self.shelf.info(self.key).await?.is_some() {
            return Ok(size);
        }
        let bytes = std::mem::take(&mut self.buffer);
        let mut batch = WriteBatch::relaxed();
        match self.partial.as_ref().and_then(Partial::key) {
            None => batch.put_media(self.info(self.key.clone()), bytes),
            Some(from) => batch
                .append_media(from.clone(), self.written, bytes)
                .rename_media(from.clone(), self.key.clone()),
        };
        self.shelf.commit(batch).await?;
        if let Some(partial) = self.partial.take() {
            partial.whole();
        }
        Ok(size)
    }

    async fn write(&mut self) -> Result<(), MediaError> {
        let bytes = std::mem::take(&mut self.buffer);
        let portion = bytes.len() as u64;
        let mut batch = WriteBatch::relaxed();
        match self.partial.as_ref().and_then(Partial::key) {
            Some(key) => {
                batch.append_media(key.clone(), self.written, bytes);
                // Not abandoned.
                batch.touch_media(vec![key.clone()], self.shelf.host.now_ms());
            }
            None => {
                let litter = self.shelf.litter.clone();
                let (partial, key) = Partial::new(&self.key.uri, self.shelf.host.random(), litter)?;
                // Before the commit: it may be written although this is dropped meanwhile.
                self.partial = Some(partial);
                batch.put_media(self.info(key), bytes);
            }
        }
        self.shelf.commit(batch).await?;
        self.written += portion;
        Ok(())
    }

    fn info(&self, key: MediaKey) -> MediaInfo {
        let now_ms = self.shelf.host.now_ms();
        MediaInfo {
            key,
            size: 0,
            mime: self.mime.clone(),
            rooms: self.rooms.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone(),
            last_access_ms: now_ms,
            fetched_at_ms: now_ms,
            pinned: false,
        }
    }

    fn received(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn check(&self, size: u64) -> Result<(), MediaError> {
        let limit = self.shelf.limit();
        if size > limit {
            return Err(MediaError::TooLarge { size: size.max(self.expected.unwrap_or(0)), limit });
        }
        Ok(())
    }
}
