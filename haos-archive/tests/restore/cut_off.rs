//! A restore that is cut off, fails or is disturbed at any write, and gone on with.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use haos_archive::{Outbox, RestoreOptions, Restored, copy};
use haos_sim::{Blow, Blows, Brittle};
use haos_store_api::*;

use crate::dump::Dump;
use crate::fresh::expected;
use crate::sample::{fill, message, room};

/// Copies into a store that fails at a write; absent if the process died. Gives how many writes there were, too.
fn struck(from: &MemoryStore, to: &MemoryStore, at: u64, blow: Blow) -> (Option<Result<Restored>>, u64) {
    let blows = Arc::new(Mutex::new(Blows::default()));
    blows.lock().unwrap().after(at, blow);
    let brittle = Brittle::new(to.clone(), blows.clone());
    let done = copy(from, &brittle, RestoreOptions::default(), Progress::none()).now_or_never();
    let writes = blows.lock().unwrap().writes;
    (done, writes)
}

#[tokio::test]
async fn cut_off_at_any_write_it_is_gone_on_with() {
    let from = MemoryStore::new();
    fill(&from, 2, 25).await;
    let whole = expected(&Dump::of(&from).await, Outbox::HoldBack);
    for blow in [Blow::DieBefore, Blow::DieAfter, Blow::Fail(ErrorKind::Io), Blow::Fail(ErrorKind::Full)] {
        let mut at = 0;
        loop {
            let to = MemoryStore::new();
            let (done, writes) = struck(&from, &to, at, blow);
            if writes <= at {
                assert!(done.unwrap().is_ok());
                break;
            }
            assert!(done.is_none_or(|done| done.is_err()), "{blow:?} at {at}");
            // It is cut off once more, before it comes to its end.
            let (again, _) = struck(&from, &to, 1, blow);
            drop(again);
            copy(&from, &to, RestoreOptions::default(), Progress::none()).await.unwrap();
            assert_eq!(Dump::of(&to).await, whole, "{blow:?} at {at}");
            at += 1;
        }
        assert!(at > 10, "it writes in many commits");
    }
}

/// A store in which somebody else writes before every other commit.
struct Busy {
    store: MemoryStore,
    writes: AtomicU64,
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Busy")
    }
}

#[async_trait]
impl StorageAdapter for Busy {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let writes = self.writes.fetch_add(1, Ordering::Relaxed);
        if writes.is_multiple_of(2) {
            let mut news = WriteBatch::relaxed();
            news.put_message(message(&room(0), &format!("news{writes}"), 1 << 30 | writes));
            self.store.apply(news).await?;
        }
        self.store.apply(batch).await
    }

    forward_store! { self => self.store; except apply }
}

#[tokio::test]
async fn a_store_that_is_written_meanwhile_loses_nothing() {
    let from = MemoryStore::new();
    fill(&from, 2, 25).await;
    let store = MemoryStore::new();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room(0), Membership::Join));
    store.apply(batch).await.unwrap();
    let to = Busy { store, writes: AtomicU64::new(0) };
    copy(&from, &to, RestoreOptions::default(), Progress::none()).await.unwrap();
    let writes = to.writes.load(Ordering::Relaxed);
    let ids: Vec<String> = crate::dump::timeline(&to, &room(0))
        .await
        .iter()
        .filter_map(|item| Some(item.as_message()?.id.to_string()))
        .collect();
    let theirs: Vec<String> = crate::dump::timeline(&from, &room(0))
        .await
        .iter()
        .filter_map(|item| Some(item.as_message()?.id.to_string()))
        .collect();
    let news = ids.iter().filter(|id| id.starts_with("$news")).count() as u64;
    assert_eq!(news, writes.div_ceil(2));
    let found: Vec<&String> = ids.iter().filter(|id| !id.starts_with("$news")).collect();
    assert_eq!(found, theirs.iter().collect::<Vec<_>>());
    assert_eq!(Dump::of(&to).await.media, Dump::of(&from).await.media);
    assert_eq!(to.outbox().await.unwrap().len(), 7);
}
