//! Open, suspend, resume, close; dropped handles and dropped calls.

use std::pin::pin;

use futures_util::future::{join, join_all, select};

use super::*;

pub(crate) async fn everything_is_there_after_a_reopen(harness: &Durable) -> Outcome {
    let path = place(harness);
    for opening in [Opening::at(&path), Opening::at(&path).low_memory()] {
        let store = harness.open(opening).await?;
        store.apply(sample()).await?;
        let info = store.info();
        same(info.recovery, None)?;
        same((info.persistent, info.shared, info.sealed), (true, harness.layout().shared, false))?;
        store.close().await?;
        stands_alone(harness)?;
    }
    let store = open(harness, &path).await?;
    same(store.info().opened_at, Revision(1)).map_err(|f| f.within("the second time changes nothing"))?;
    same(store.timeline(&room_id("a"), Page::newest(50)).await?.items.len(), 12)?;
    same(txns(&store).await?, ["t1", "t2", "t3"])?;
    let range = ByteRange { start: 65_530, end: 65_540 };
    let bytes = some(store.media(&media_key("cat"), range).await?)?.bytes;
    same(bytes, &pattern(100_000)[65_530..65_540])?;
    Ok(store.close().await?)
}

pub(crate) async fn close_is_idempotent_and_final(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    let mut changes = store.changes();
    let (first, second) = join(store.close(), store.close()).await;
    first.and(second)?;
    same(changes.next().await, None)?;
    same(store.changes().next().await, None)?;
    for result in [
        store.apply(put("a")).await.map(drop),
        store.rooms(RoomQuery::default()).await.map(drop),
        store.maintain(Maintenance::Check, Progress::none()).await.map(drop),
        store.suspend().await,
        store.resume().await,
    ] {
        fails(result, ErrorKind::Closed)?;
    }
    Ok(store.close().await?)
}

pub(crate) async fn suspend_lets_go_of_the_files_and_resume_takes_them_back(harness: &Durable) -> Outcome {
    let path = place(harness);
    let store = open(harness, &path).await?;
    store.apply(put("a")).await?;
    let mut changes = store.changes();

    store.suspend().await?;
    store.suspend().await?;
    stands_alone(harness)?;
    fails(store.apply(put("b")).await, ErrorKind::Closed)?;
    fails(store.room(&room_id("a")).await, ErrorKind::Closed)?;

    let other = open(harness, &path).await?;
    other.apply(put("c")).await?;
    other.close().await?;

    store.resume().await?;
    store.resume().await?;
    same(changes.next().await, Some(Change::Resync { revision: Revision(2) }))?;
    store.apply(put("d")).await?;
    same(changes.next().await.map(|change| change.revision()), Some(Revision(3)))?;
    same(store.rooms(RoomQuery::default()).await?.len(), 3)?;
    store.suspend().await?;
    store.close().await?;
    same(changes.next().await, None)
}

pub(crate) async fn commits_are_told_in_order_and_only_when_they_change_something(
    harness: &Durable,
) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    let mut changes = store.changes();
    let writes = (0..50).map(|n| store.apply(put(&format!("r{}", n % 25))));
    for result in join_all(writes).await {
        result?;
    }
    for n in 1..=25 {
        let Some(Change::Commit { revision, touched }) = changes.next().await else {
            return Err(Failure::new("a commit is not told"));
        };
        // The room, and that none of its messages changed.
        same((revision, touched.len()), (Revision(n), 2))?;
    }
    same(changes.try_next(), None)
}

pub(crate) async fn a_failing_batch_takes_back_only_itself(harness: &Durable) -> Outcome {
    let store = open(harness, &place(harness)).await?;
    store.apply(put("a")).await?;
    // Handed over before the writer answers, so that they share commits.
    let batches = (0..60).map(|n| {
        let mut batch = WriteBatch::relaxed();
        batch.put_message(message("a", &format!("m{n}"), n)).put_pending(pending("a", &format!("t{n}")));
        if n % 3 == 0 {
            batch.put_message(message("nowhere", "x", 0));
        }
        store.apply(batch)
    });
    let mut seqs = Vec::new();
    for (n, result) in join_all(batches).await.into_iter().enumerate() {
        if n % 3 == 0 {
            fails(result, ErrorKind::Invalid)?;
        } else {
            seqs.extend(result?.assigned.iter().map(|(_, seq)| *seq));
        }
    }
    same(seqs, (1..=40).collect::<Vec<u64>>()).map_err(|f| f.within("a rollback uses up no number"))?;
    same(store.count(&room_id("a"), None).await?, 40)?;
    same(store.usage().await?.collections[1].1.rows, 40)?;
    same(store.apply(put("b")).await?.revision, Revision(42))
}

pub(crate) async fn a_dropped_call_is_applied_whole_or_not_at_all(harness: &Durable) -> Outcome {
    let path = place(harness);
    let store = open(harness, &path).await?;
    for n in 0..200 {
        let mut batch = put(&format!("x{n}"));
        batch.put_room(room(&format!("y{n}")));
        let turns = async {
            for _ in 0..n % 5 {
                yield_now().await;
            }
        };
        select(pin!(store.apply(batch)), pin!(turns)).await;
    }
    store.close().await?;
    let store = open(harness, &path).await?;
    let rooms = store.rooms(RoomQuery::default()).await?;
    let count = |first: &str| rooms.iter().filter(|room| room.id.as_str().starts_with(first)).count();
    same(count("!x"), count("!y"))?;
    same(count("!x"), 200).map_err(|f| f.within("close finishes accepted work"))
}

pub(crate) async fn a_store_dropped_without_close_loses_nothing_that_was_acknowledged(
    harness: &Durable,
) -> Outcome {
    let path = place(harness);
    for n in 0..20 {
        let store = open(harness, &path).await?;
        store.apply(put(&format!("r{n}"))).await?;
        drop(store);
    }
    let store = open(harness, &path).await?;
    same(store.rooms(RoomQuery::default()).await?.len(), 20)
}

pub(crate) async fn no_runtime_is_needed(harness: &Durable) -> Outcome {
    let work = || {
        block_on(async {
            let store = open(harness, &place(harness)).await?;
            store.apply(sample()).await?;
            some(store.room(&room_id("a")).await?)?;
            Ok(store.close().await?)
        })
    };
    std::thread::scope(|scope| joined(scope.spawn(work).join()))
}

pub(crate) async fn a_row_of_megabytes_comes_back(harness: &Durable) -> Outcome {
    let path = place(harness);
    let store = open(harness, &path).await?;
    let value = Json::of(&"x".repeat(3 << 20))?;
    let large = StateEntry { value, ..state(Scope::Account, "large", "", "1") };
    let mut batch = WriteBatch::strict();
    batch.put_state(large.clone()).put_room(room("a"));
    store.apply(batch).await?;
    store.close().await?;
    let store = open(harness, &path).await?;
    let found = store.state(StateQuery::kind(Scope::Account, kind("large"))).await?;
    holds(found == [large], "the written bytes come back")?;
    is_sound(&store).await
}
