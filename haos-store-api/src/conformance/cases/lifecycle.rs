//! Opening, closing, suspending, and chores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::conformance::check::*;
use crate::conformance::make::*;
use crate::conformance::{Harness, Outcome};
use crate::*;

pub(super) async fn fill(store: &Store) -> Result<Commit> {
    put(store, |batch| {
        batch
            .put_room(a_room(0))
            .put_message(message(1))
            .put_message(about(RelationKind::Reply, 1, message(2)))
            .put_gap(gap(0, Some("t")))
            .put_pending(pending(1))
            .put_media(media(1, 3), bytes(CHUNK_BYTES + 1))
            .put_state(state(Scope::Account, "haos.sync_token", "", "\"s1\""))
    })
    .await
}

pub(crate) async fn a_new_store_is_empty(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    drop(store);
    let store = harness.open().await?;
    same(store.info().opened_at, Revision::ZERO)?;
    same(store.rooms(RoomQuery::default()).await?, [])?;
    same(store.pending(PendingQuery::default()).await?, [])?;
    same(store.media_index(MediaQuery::default()).await?, [])?;
    same(store.state(StateQuery::all(Scope::Account)).await?, [])
}

pub(crate) async fn everything_survives_a_restart(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let commit = fill(&store).await?;
    let room_before = store.room(&room(0)).await?;
    let timeline = store.timeline(&room(0), Page::newest(9)).await?;
    let cursor = some(store.timeline(&room(0), Page::newest(1)).await?.older())?.to_string();
    drop(store);
    let store = harness.reopen().await?;
    same(store.info().opened_at, commit.revision)?;
    same(store.changes().start(), commit.revision)?;
    same(store.room(&room(0)).await?, room_before)?;
    same(store.timeline(&room(0), Page::newest(9)).await?, timeline)?;
    same(store.related(RelationQuery::of(&room(0), &event(1))).await?.len(), 1)?;
    let pending = store.pending(PendingQuery::default()).await?;
    same(pending.iter().map(|row| row.seq).collect::<Vec<_>>(), [some(commit.assigned.first())?.1])?;
    let media = some(store.media(&media_key(1), ByteRange::ALL).await?)?;
    holds(media.bytes == bytes(CHUNK_BYTES + 1), "media bytes survive")?;
    same(store.state(StateQuery::all(Scope::Account)).await?.len(), 1)?;
    let older = store.timeline(&room(0), Page::older_than(cursor.parse()?, 9)).await?;
    same(older.items.len(), 2)?;
    let next = put(&store, |batch| batch.put_message(message(3))).await?;
    same(next.revision, commit.revision.next())
}

pub(crate) async fn a_closed_store_refuses_everything(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    store.close().await?;
    refuses(&store).await?;
    fails(store.suspend().await, ErrorKind::Closed)?;
    fails(store.resume().await, ErrorKind::Closed)?;
    store.close().await?;
    drop(store);
    let store = harness.reopen().await?;
    same(store.count(&room(0), None).await?, 2)
}

pub(crate) async fn a_suspended_store_refuses_everything_until_resumed(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    store.suspend().await?;
    store.suspend().await?;
    refuses(&store).await?;
    store.resume().await?;
    store.resume().await?;
    same(store.count(&room(0), None).await?, 2)?;
    same(put(&store, |batch| batch.put_message(message(3))).await?.revision, Revision(2))?;
    store.suspend().await?;
    store.close().await?;
    refuses(&store).await
}

async fn refuses(store: &Store) -> Outcome {
    let closed = ErrorKind::Closed;
    fails(put(store, |batch| batch.put_room(a_room(1))).await, closed)?;
    fails(store.apply(WriteBatch::strict()).await, closed)?;
    fails(store.room(&room(0)).await, closed)?;
    fails(store.rooms(RoomQuery::default()).await, closed)?;
    fails(store.message(&room(0), &event(1)).await, closed)?;
    fails(store.timeline(&room(0), Page::newest(1)).await, closed)?;
    fails(store.gaps(&room(0)).await, closed)?;
    fails(store.count(&room(0), None).await, closed)?;
    fails(store.related(RelationQuery::of(&room(0), &event(1))).await, closed)?;
    fails(store.messages(MessageQuery::Txn(txn(1))).await, closed)?;
    fails(store.pending(PendingQuery::default()).await, closed)?;
    fails(store.media(&media_key(1), ByteRange::ALL).await, closed)?;
    fails(store.media_index(MediaQuery::default()).await, closed)?;
    fails(store.state(StateQuery::all(Scope::Account)).await, closed)?;
    fails(store.usage().await, closed)?;
    fails(store.maintain(Maintenance::Check, Progress::none()).await, closed)
}

pub(crate) async fn usage_counts_rows(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let rows = async || {
        let usage = store.usage().await?;
        let names: Vec<_> = usage.collections.iter().map(|(collection, _)| *collection).collect();
        same(names, Collection::ALL)?;
        let sizes = usage.collections.iter().map(|(_, size)| *size).collect::<Vec<_>>();
        let sane = sizes.iter().all(|size| (size.rows == 0) == (size.bytes == 0));
        holds(sane, "a collection has bytes exactly if it has rows")?;
        Ok::<_, crate::conformance::Failure>(sizes.iter().map(|size| size.rows).collect::<Vec<_>>())
    };
    same(rows().await?, [0; 6])?;
    fill(&store).await?;
    same(rows().await?, [1, 2, 1, 1, 1, 1])?;
    let usage = store.usage().await?;
    let media = usage.collections.iter().find(|(collection, _)| *collection == Collection::Media);
    holds(media.is_some_and(|(_, size)| size.bytes > CHUNK_BYTES as u64), "media counts its bytes")?;
    holds(usage.total_bytes > CHUNK_BYTES as u64, "the total counts them too")
}

pub(crate) async fn chores_find_a_healthy_store(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    let before = store.timeline(&room(0), Page::newest(9)).await?;
    for task in [Maintenance::Check, Maintenance::Compact, Maintenance::Check] {
        let (done, total) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let told = (done.clone(), total.clone());
        let progress = Progress::to(move |done, total| {
            told.0.store(done, Ordering::Relaxed);
            told.1.store(total, Ordering::Relaxed);
        });
        let report = store.maintain(task, progress).await?;
        same(report.findings, Vec::<String>::new())?;
        let (done, total) = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        same(done, total)?;
    }
    same(store.timeline(&room(0), Page::newest(9)).await?, before)?;
    let media = some(store.media(&media_key(1), ByteRange::ALL).await?)?;
    holds(media.bytes == bytes(CHUNK_BYTES + 1), "a chore keeps media")
}

/// A plain store has no keys, and reports that.
fn no_keys<T: std::fmt::Debug>(result: Result<T>) -> Outcome {
    let kind = result.err().map(|error| error.kind());
    holds(matches!(kind, Some(ErrorKind::NotSealed | ErrorKind::Unsupported)), "a plain store has no keys")
}

pub(crate) async fn a_rotation_keeps_everything(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    fill(&store).await?;
    if !store.info().sealed {
        return no_keys(store.maintain(Maintenance::Rotate, Progress::none()).await);
    }
    let before = everything(&store).await?;
    for _ in 0..2 {
        let report = store.maintain(Maintenance::Rotate, Progress::none()).await?;
        same(report.findings, Vec::<String>::new())?;
        same(everything(&store).await?, before.clone())?;
    }
    put(&store, |batch| batch.put_message(message(9))).await?;
    drop(store);
    let store = harness.reopen().await?;
    same(store.count(&room(0), None).await?, 3)?;
    same(store.maintain(Maintenance::Check, Progress::none()).await?.findings, Vec::<String>::new())
}

type Everything = (Vec<Room>, Slice, Vec<Pending>, Option<Media>, Vec<StateEntry>);

async fn everything(store: &Store) -> Result<Everything> {
    Ok((
        store.rooms(RoomQuery::default()).await?,
        store.timeline(&room(0), Page::newest(9)).await?,
        store.pending(PendingQuery::default()).await?,
        store.media(&media_key(1), ByteRange::ALL).await?,
        store.state(StateQuery::all(Scope::Account)).await?,
    ))
}

pub(crate) async fn secrets_change_without_a_row(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let commit = fill(&store).await?;
    let add = || KeyChange::AddKey("another".to_owned(), Secret::key([3; 32]));
    if !store.info().sealed {
        return no_keys(store.change_keys(add()).await);
    }
    store.change_keys(add()).await?;
    fails(store.change_keys(KeyChange::RemoveKey("nobody".to_owned())).await, ErrorKind::Invalid)?;
    store.change_keys(KeyChange::RemoveKey("another".to_owned())).await?;
    same(put(&store, |batch| batch.put_message(message(9))).await?.revision, commit.revision.next())?;
    drop(store);
    let store = harness.reopen().await?;
    same(store.count(&room(0), None).await?, 3)
}

pub(crate) async fn it_says_what_it_is(harness: &mut dyn Harness) -> Outcome {
    let store = harness.open().await?;
    let info = store.info();
    holds(!info.backend.is_empty(), "a backend has a name")?;
    holds(info.format > 0, "a format has a version")?;
    same(info.recovery, None)?;
    holds(!info.persistent || info.location.is_some(), "what outlives the process is somewhere")?;
    holds(!format!("{store:?}").is_empty(), "a store can be printed")
}

pub(crate) async fn a_dropped_write_is_whole_or_not_at_all(harness: &mut dyn Harness) -> Outcome {
    let store = with_room(harness).await?;
    for n in 0..10 {
        let mut batch = WriteBatch::relaxed();
        batch.put_message(message(2 * n)).put_message(message(2 * n + 1));
        let mut write = store.apply(batch);
        // Polled once, then dropped.
        std::future::poll_fn(|context| {
            let _ = write.as_mut().poll(context);
            std::task::Poll::Ready(())
        })
        .await;
        drop(write);
    }
    let last = put(&store, |batch| batch.put_message(message(100))).await?;
    let count = store.count(&room(0), None).await?;
    for n in 0..10 {
        let first = store.message(&room(0), &event(2 * n)).await?.is_some();
        let second = store.message(&room(0), &event(2 * n + 1)).await?.is_some();
        same(first, second)?;
    }
    // One revision for the room, one a batch that was applied, one for the last.
    same(last.revision, Revision(2 + (count - 1) / 2))
}
