use futures_util::StreamExt;
use futures_util::stream::FuturesOrdered;
use haos_store_api::{ByteRange, Media, MediaInfo, Result, StorageAdapter, StoreFuture};

use crate::pages::PORTION;

/// The portions that are read while earlier ones are packed.
const PORTIONS: usize = 4;

/// A portion, with the place of its item.
type Portion = (usize, Result<Option<Media>>);

/// The bytes of media items, read ahead of their use.
pub(super) struct Ahead<'a> {
    store: &'a dyn StorageAdapter,
    items: Vec<&'a MediaInfo>,
    /// The items that were begun; the last of them is the present one.
    begun: usize,
    /// The item and the first byte of the next portion to read.
    next: (usize, u64),
    reading: FuturesOrdered<StoreFuture<'a, Portion>>,
}

impl<'a> Ahead<'a> {
    /// Reads the bytes of these items, in this order.
    pub(super) fn of(store: &'a dyn StorageAdapter, items: Vec<&'a MediaInfo>) -> Self {
        Self { store, items, begun: 0, next: (0, 0), reading: FuturesOrdered::new() }
    }

    /// Begins the next item; what is left of the one before is passed over.
    pub(super) fn begin(&mut self) {
        self.next = self.next.max((self.begun, 0));
        self.begun += 1;
    }

    /// Reads the next portion of the present item.
    ///
    /// # Errors
    /// Those of the store.
    pub(super) async fn portion(&mut self) -> Result<Option<Media>> {
        loop {
            self.read_on();
            match self.reading.next().await {
                Some((item, portion)) if item + 1 == self.begun => return portion,
                // Of an item that was passed over.
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    fn read_on(&mut self) {
        while self.reading.len() < PORTIONS {
            let (item, start) = self.next;
            let Some(info) = self.items.get(item) else { return };
            if start >= info.size {
                self.next = (item + 1, 0);
                continue;
            }
            let range = ByteRange { start, end: info.size.min(start + PORTION) };
            self.next = (item, range.end);
            let (store, key) = (self.store, &info.key);
            self.reading.push_back(Box::pin(async move { (item, store.media(key, range).await) }));
        }
    }
}
