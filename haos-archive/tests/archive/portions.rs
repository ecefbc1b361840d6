//! What a backup has in memory at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use async_trait::async_trait;
use haos_archive::Backup;
use haos_backends::{Backend, Home, Store};
use haos_store_api::*;

use crate::content::{Content, bytes_of, read};
use crate::make::{Shape, fill, small};

/// Counts the most that a reading brings into memory: rows, and bytes of media.
#[derive(Debug)]
struct Counting {
    store: Store,
    rows: AtomicUsize,
    bytes: AtomicUsize,
}

#[async_trait]
impl StorageAdapter for Counting {
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let slice = self.store.timeline(room, page).await?;
        self.rows.fetch_max(slice.items.len(), Relaxed);
        Ok(slice)
    }

    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>> {
        let rows = self.store.pending(query).await?;
        self.rows.fetch_max(rows.len(), Relaxed);
        Ok(rows)
    }

    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>> {
        let media = self.store.media(key, range).await?;
        self.bytes.fetch_max(media.as_ref().map_or(0, |media| media.bytes.len()), Relaxed);
        Ok(media)
    }

    async fn snapshot(&self) -> Result<Arc<dyn StorageAdapter>> {
        Err(Error::new(ErrorKind::Unsupported, "snapshot", "every reading is to be counted"))
    }

    forward_store! { self => self.store; except timeline, pending, media, snapshot }
}

/// element-web#2630 and Dexie#872: an export that holds everything in memory ends the program.
#[tokio::test]
async fn element_web_2630_and_dexie_872_a_backup_takes_no_more_memory_for_more_messages() {
    for (messages, film) in [(2_000, 1 << 20), (8_000, 4 << 20)] {
        let store = Home::new(Backend::Memory, false).open().await;
        let shape = Shape { messages, media: vec![film, 9], pending: 300, ..small() };
        fill(&store, &shape).await;
        let counting =
            Counting { store: store.clone(), rows: AtomicUsize::new(0), bytes: AtomicUsize::new(0) };
        let file = bytes_of(Backup::new(), &counting).await;
        let most = (counting.rows.into_inner(), counting.bytes.into_inner());
        assert_eq!(most, (256, 256 << 10), "{messages} messages");
        assert_eq!(read(&[&file], None).unwrap(), Content::of_store(&store).await, "whole all the same");
    }
}
