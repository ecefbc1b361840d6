//! The change feed.

use std::collections::BTreeSet;

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Failure, Harness, Outcome};
use crate::*;

/// Reads the next change of a closed store's feed, which must not wait for anything.
async fn soon(changes: &mut Changes) -> Result<Option<Change>, Failure> {
    let mut next = std::pin::pin!(changes.next());
    for _ in 0..10_000 {
        let now = std::future::poll_fn(|context| std::task::Poll::Ready(next.as_mut().poll(context))).await;
        if let std::task::Poll::Ready(change) = now {
            return Ok(change);
        }
        yield_now().await;
    }
    Err(Failure::new("the feed of a closed store does not end"))
}

fn commit_of(commit: &Commit, touched: impl IntoIterator<Item = Touched>) -> Option<Change> {
    let touched: BTreeSet<_> = touched.into_iter().collect();
    Some(Change::Commit { revision: commit.revision, touched: touched.into_iter().collect() })
}

fn named<const N: usize>(events: [u64; N]) -> Touched {
    Touched::Messages(room(0), events.map(event).into())
}

pub(crate) async fn it_starts_at_the_present(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let mut changes = store.changes();
    same(changes.start(), Revision(2))?;
    let commit = put(&store, |batch| batch.put_message(message(2))).await?;
    same(told(&store, &mut changes).await?, commit_of(&commit, [Touched::Room(room(0)), named([2])]))?;
    same(changes.try_next(), None)
}

pub(crate) async fn every_commit_is_told_once_and_in_order(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut changes = store.changes();
    for n in 0..50 {
        put(&store, |batch| batch.put_message(message(n))).await?;
    }
    for n in 0..50 {
        same(told(&store, &mut changes).await?.map(|change| change.revision()), Some(Revision(2 + n)))?;
    }
    same(changes.try_next(), None)
}

pub(crate) async fn it_tells_what_was_touched(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut changes = store.changes();
    let scope = Scope::Room(room(0));
    let commit = put(&store, |batch| {
        batch
            .put_message(message(1))
            .put_message(message(2))
            .put_pending(pending(1))
            .put_media(media(1, 0), bytes(1))
            .put_state(state(scope.clone(), "k", "", "1"))
            .put_state(state(Scope::Account, "k", "", "1"))
    })
    .await?;
    let touched = [
        Touched::Room(room(0)),
        named([1, 2]),
        Touched::Pending(txn(1)),
        Touched::Media(media_key(1)),
        Touched::State(scope),
        Touched::State(Scope::Account),
    ];
    same(told(&store, &mut changes).await?, commit_of(&commit, touched))?;
    let policy = MediaPolicy { max_total: 0, ..MediaPolicy::default() };
    let commit = put(&store, |batch| {
        batch.rename_media(media_key(1), media_key(2)).evict_media(policy, 0).remove_room(room(0))
    })
    .await?;
    let touched = [
        Touched::Room(room(0)),
        Touched::Media(media_key(1)),
        Touched::Media(media_key(2)),
        Touched::MediaEvicted,
        Touched::State(Scope::Room(room(0))),
    ];
    same(told(&store, &mut changes).await?, commit_of(&commit, touched))
}

pub(crate) async fn what_changes_nothing_is_not_told(harness: &mut dyn Harness) -> Outcome {
    let store = with_messages(harness, [1]).await?;
    let mut changes = store.changes();
    put(&store, |batch| batch.put_message(message(1))).await?;
    put(&store, |batch| batch.remove_message(room(0), event(9))).await?;
    let failed = put(&store, |batch| {
        batch.put_message(message(2)).put_message(Message { position: at(1), ..message(3) })
    });
    fails(failed.await, ErrorKind::Conflict)?;
    let commit = put(&store, |batch| batch.put_message(message(4))).await?;
    same(told(&store, &mut changes).await?.map(|change| change.revision()), Some(commit.revision))
}

pub(crate) async fn every_subscriber_is_told(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut early = store.changes();
    put(&store, |batch| batch.put_message(message(1))).await?;
    let mut late = store.changes();
    same(late.start(), Revision(2))?;
    drop(store.changes());
    put(&store, |batch| batch.put_message(message(2))).await?;
    for expected in [2, 3] {
        same(told(&store, &mut early).await?.map(|change| change.revision()), Some(Revision(expected)))?;
    }
    same(told(&store, &mut late).await?.map(|change| change.revision()), Some(Revision(3)))
}

pub(crate) async fn whoever_falls_behind_is_told_to_read_again(harness: &mut dyn Harness) -> Outcome {
    const COMMITS: u64 = 1_200;
    let store = with_room(harness).await?;
    let mut changes = store.changes();
    for n in 0..COMMITS {
        put(&store, |batch| batch.put_room(Room { last_activity_ms: n as i64 + 1, ..a_room(0) })).await?;
    }
    // A backend may keep any number (those here keep 1,024): either all is told, or the break is.
    let mut at = changes.start();
    while let Some(change) = told(&store, &mut changes).await? {
        match change {
            Change::Commit { revision, .. } => same(revision, at.next())?,
            Change::Resync { revision } => holds(revision > at, "a resync leads forwards")?,
        }
        at = change.revision();
        if at == Revision(COMMITS + 1) {
            break;
        }
    }
    same(at, Revision(COMMITS + 1))
}

pub(crate) async fn it_ends_when_the_store_is_closed(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut changes = store.changes();
    put(&store, |batch| batch.put_message(message(1))).await?;
    store.close().await?;
    same(soon(&mut changes).await?.map(|change| change.revision()), Some(Revision(2)))?;
    same(soon(&mut changes).await?, None)?;
    same(soon(&mut store.changes()).await?, None)
}

pub(crate) async fn it_goes_on_after_a_pause(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    let mut changes = store.changes();
    store.suspend().await?;
    store.resume().await?;
    let commit = put(&store, |batch| batch.put_message(message(1))).await?;
    let mut seen = None;
    // A backend that cannot know what others wrote meanwhile says so first.
    while seen != Some(commit.revision) {
        seen = Some(some(told(&store, &mut changes).await?)?.revision());
    }
    Ok(())
}
