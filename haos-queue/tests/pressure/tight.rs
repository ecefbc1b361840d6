//! A device that is full and has little room for the log of a removal.

use std::sync::Arc;

use async_trait::async_trait;
use haos_queue::pressure::{PressureOptions, Weight};
use haos_store_api::*;

use crate::common::*;

/// A store in memory that takes `capacity` bytes and removes no more than `log` at once.
#[derive(Debug)]
struct Tight {
    inner: MemoryStore,
    capacity: u64,
    log: u64,
}

impl Tight {
    async fn used(&self) -> Result<u64> {
        Ok(self.inner.usage().await?.collections.iter().map(|(_, size)| size.bytes).sum())
    }
}

#[async_trait]
impl StorageAdapter for Tight {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let full = || Error::new(ErrorKind::Full, "apply", "the device is full");
        let before = self.used().await?;
        let removes = batch.ops().iter().any(|op| matches!(op, Op::EvictMedia(..) | Op::Prune(_)));
        if removes {
            // Its removal, tried on a copy.
            let copy = MemoryStore::new();
            copy_to(&self.inner, &copy).await?;
            let start: u64 = copy.usage().await?.collections.iter().map(|(_, size)| size.bytes).sum();
            copy.apply(batch.clone()).await?;
            let end: u64 = copy.usage().await?.collections.iter().map(|(_, size)| size.bytes).sum();
            if start.saturating_sub(end) > self.log {
                return Err(full());
            }
        } else if before + Weight::of(&batch).bytes() > self.capacity {
            return Err(full());
        }
        self.inner.apply(batch).await
    }

    forward_store! { self => self.inner; except apply }
}

async fn copy_to(from: &MemoryStore, to: &MemoryStore) -> Result<()> {
    let mut batch = WriteBatch::relaxed();
    for room in from.rooms(RoomQuery::default()).await? {
        let slice = from.timeline(&room.id, Page::oldest(usize::MAX)).await?;
        batch.put_room(room);
        for item in slice.items {
            match item {
                Item::Message(message) => batch.put_message(message),
                Item::Gap(gap) => batch.put_gap(gap),
            };
        }
    }
    for info in from.media_index(MediaQuery::default()).await? {
        let media = from.media(&info.key, ByteRange::ALL).await?;
        batch.put_media(info, media.map_or_else(Vec::new, |media| media.bytes));
    }
    for row in from.pending(PendingQuery::default()).await? {
        batch.put_pending(row);
    }
    to.apply(batch).await.map(drop)
}

/// Fills a device with media and old messages; the log has room for two items.
async fn full() -> Store {
    let store: Store = Arc::new(Tight { inner: MemoryStore::new(), capacity: 400_000, log: 25_000 });
    put_rooms(&store, 1).await;
    let mut batch = WriteBatch::relaxed();
    for n in 0..100 {
        batch.put_message(message(0, n, 1000));
    }
    store.apply(batch).await.unwrap();
    for n in 0..1000 {
        let mut batch = WriteBatch::relaxed();
        batch.put_media(media(&format!("mxc://{n:03}"), n), vec![1; 10_000]);
        if store.apply(batch).await.is_err() {
            break;
        }
    }
    store
}

#[tokio::test]
async fn it_is_emptied_a_little_at_a_time() {
    let store = full().await;
    let options = PressureOptions { keep_messages: 10, ..PressureOptions::default() };
    let kept = kept_at(&store, 1000, options);
    let mut unsent = 0;
    let error = loop {
        match kept.apply(enqueue(unsent, 20_000)).await {
            Ok(_) => unsent += 1,
            Err(error) => break error,
        }
        let gone = store.media_index(MediaQuery::default()).await.unwrap();
        let is_media_left = gone.iter().any(|item| !item.pinned);
        assert!(!is_media_left || store.count(&room(0), None).await.unwrap() == 100, "media goes first");
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("the device is full")));
    assert_eq!(unsent, 19, "all that the device takes");
    assert_eq!(store.count(&room(0), None).await.unwrap(), 10);
    all_unsent(&store, unsent, 20_000).await;
}

#[tokio::test]
async fn other_errors_are_handed_on() {
    let store = full().await;
    let kept = kept_at(&store, 0, PressureOptions::default());
    let mut conflict = WriteBatch::relaxed();
    conflict.expect_room(&room(0), None);
    assert_eq!(kept.apply(conflict).await.unwrap_err().kind(), ErrorKind::Conflict);
    store.close().await.unwrap();
    assert_eq!(kept.check().await.unwrap_err().kind(), ErrorKind::Closed);
}
