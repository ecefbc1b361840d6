//! A restore reads as much as it writes, however many gaps a room has.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use haos_archive::{RestoreOptions, copy};
use haos_store_api::*;

use crate::sample::{message, room};

/// A store that counts the items of its answers.
#[derive(Debug, Default)]
struct Counted {
    store: MemoryStore,
    items: AtomicUsize,
}

impl Counted {
    fn read(&self, items: usize) {
        self.items.fetch_add(1 + items, Ordering::Relaxed);
    }
}

#[async_trait]
impl StorageAdapter for Counted {
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let slice = self.store.timeline(room, page).await?;
        self.read(slice.items.len());
        Ok(slice)
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let gaps = self.store.gaps(room).await?;
        self.read(gaps.len());
        Ok(gaps)
    }

    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>> {
        let messages = self.store.messages(query).await?;
        self.read(messages.len());
        Ok(messages)
    }

    forward_store! { self => self.store; except timeline, gaps, messages }
}

/// Messages and positions from gap to gap.
const EACH: u64 = 10;
const STEP: u64 = 20;

/// A room whose every tenth message follows a gap.
async fn torn(gaps: u64) -> MemoryStore {
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(0), Membership::Join));
    for n in 0..gaps {
        let position = message(&room(0), "x", n * STEP).position;
        let token = Some(format!("t{n}"));
        batch.put_gap(Gap { room: room(0), position, token, revision: Revision::ZERO });
        for m in 1..=EACH {
            batch.put_message(message(&room(0), &format!("{n}-{m}"), n * STEP + m));
        }
    }
    store.apply(batch).await.unwrap();
    store
}

/// Restores a room into a store that has some messages of its own, twice; gives the items read.
async fn restored(gaps: u64, held: impl Fn(u64) -> bool) -> usize {
    let (from, to) = (torn(gaps).await, Counted::default());
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(0), Membership::Join));
    for n in (0..gaps * STEP).filter(|n| held(*n)) {
        batch.put_message(message(&room(0), &format!("held {n}"), n));
    }
    to.store.apply(batch).await.unwrap();
    for _ in 0..2 {
        copy(&from, &to, RestoreOptions::default(), Progress::none()).await.unwrap();
    }
    to.items.load(Ordering::Relaxed)
}

#[tokio::test]
async fn many_gaps_cost_what_they_hold() {
    let messages = |gaps: u64| (gaps * EACH) as usize;
    for gaps in [50, 400] {
        for (what, read) in [
            ("into an empty room", restored(gaps, |_| false).await),
            ("below the newest", restored(gaps, |at| at == gaps * STEP - 1).await),
            ("among others", restored(gaps, |at| at % 40 == 13).await),
        ] {
            assert!(read < 12 * messages(gaps), "{what}, {gaps} gaps: {read} items read");
        }
    }
}
