//! A restore reads as much as it writes, however many gaps a room has.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use haos_archive::{RestoreOptions, copy};
use haos_store_api::*;

use crate::sample::{message, room};

/// A store that counts the items of its answers, and those that are written or moved.
#[derive(Debug, Default)]
struct Counted {
    store: MemoryStore,
    items: AtomicUsize,
    written: AtomicUsize,
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

    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let rows = batch.ops().iter().map(|op| match op {
            Op::Renumber(_, moves) => moves.len(),
            _ => 1,
        });
        self.written.fetch_add(rows.sum(), Ordering::Relaxed);
        self.store.apply(batch).await
    }

    forward_store! { self => self.store; except timeline, gaps, messages, apply }
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

/// What a restore costs, in items for each message of both stores.
#[derive(Debug)]
struct Cost {
    read: usize,
    written: usize,
}

/// Restores a room into a store that has some messages of its own, twice. Those of its own may be `later` than all
/// others, at the same places.
async fn restored(gaps: u64, later: bool, held: impl Fn(u64) -> bool) -> Cost {
    let (from, to) = (torn(gaps).await, Counted::default());
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(0), Membership::Join));
    for n in (0..gaps * STEP).filter(|n| held(*n)) {
        let mut held = message(&room(0), &format!("held {n}"), n);
        held.timestamp_ms += if later { 1 << 40 } else { 0 };
        batch.put_message(held);
    }
    to.store.apply(batch).await.unwrap();
    for _ in 0..2 {
        copy(&from, &to, RestoreOptions::default(), Progress::none()).await.unwrap();
    }
    let all = (gaps * EACH) as usize + (0..gaps * STEP).filter(|n| held(*n)).count();
    Cost { read: to.items.into_inner() / all, written: to.written.into_inner() / all }
}

#[tokio::test]
async fn many_gaps_cost_what_they_hold() {
    for gaps in [50, 400] {
        for (what, cost) in [
            ("into an empty room", restored(gaps, false, |_| false).await),
            ("below the newest", restored(gaps, false, |at| at == gaps * STEP - 1).await),
            ("among others", restored(gaps, false, |at| at % 40 == 13).await),
            ("before some that are newer", restored(gaps, true, |at| at % 40 == 13).await),
            ("before more that are newer", restored(gaps, true, |_| true).await),
        ] {
            assert!(cost.read < 12 && cost.written < 2, "{what}, {gaps} gaps: {cost:?}");
        }
    }
}
