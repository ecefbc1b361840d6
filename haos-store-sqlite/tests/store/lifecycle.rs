//! Open, suspend, resume, close; dropped handles and dropped calls.

use std::sync::Arc;
use std::task::Poll;

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;

fn put(name: &str) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room(name));
    batch
}

#[tokio::test]
async fn everything_is_there_after_a_reopen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    for options in [SqliteOptions::new(&path), SqliteOptions::new(&path).low_memory()] {
        let store = SqliteStore::open(options).await.unwrap();
        store.apply(sample()).await.unwrap();
        assert_eq!(store.info().recovery, None);
        assert!(store.info().persistent && store.info().shared && !store.info().sealed);
        store.close().await.unwrap();
        assert_eq!(files(folder.path()).len(), 1, "the log is gone after a close");
    }
    let store = open(&path).await;
    assert_eq!(store.info().opened_at, Revision(1), "the second time changed nothing");
    assert_eq!(store.timeline(&room_id("a"), Page::newest(50)).await.unwrap().items.len(), 12);
    assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
    let bytes = store.media(&media_key("cat"), ByteRange { start: 65_530, end: 65_540 }).await.unwrap();
    assert_eq!(bytes.unwrap().bytes, pattern(100_000)[65_530..65_540]);
    store.close().await.unwrap();
}

/// Connections that close at once would each take another for the one that is to clear the log away.
#[tokio::test]
async fn the_log_is_gone_after_every_close() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    for nth in 0..200 {
        let store = open(&path).await;
        // Every other time it is only read.
        if nth % 2 == 0 {
            store.apply(put(&format!("r{nth}"))).await.unwrap();
        }
        // Read by the caller and by the reading thread.
        store.timeline(&room_id("r0"), Page::newest(50)).await.unwrap();
        store.count(&room_id("r0"), None).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(files(folder.path()).len(), 1, "close {nth}");
    }
}

#[tokio::test]
async fn close_is_idempotent_and_final() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    let mut changes = store.changes();
    let (first, second) = tokio::join!(store.close(), store.close());
    first.and(second).unwrap();
    assert_eq!(changes.next().await, None);
    assert_eq!(store.changes().next().await, None);
    for result in [
        store.apply(put("a")).await.map(drop),
        store.rooms(RoomQuery::default()).await.map(drop),
        store.maintain(Maintenance::Check, Progress::none()).await.map(drop),
        store.suspend().await,
        store.resume().await,
    ] {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Closed);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn suspend_lets_go_of_the_file_and_resume_takes_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    store.apply(put("a")).await.unwrap();
    let mut changes = store.changes();

    store.suspend().await.unwrap();
    store.suspend().await.unwrap();
    assert_eq!(files(folder.path()).len(), 1, "no log, no locks");
    assert_eq!(store.apply(put("b")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(store.room(&room_id("a")).await.unwrap_err().kind(), ErrorKind::Closed);

    let other = open(&path).await;
    other.apply(put("c")).await.unwrap();
    other.close().await.unwrap();

    store.resume().await.unwrap();
    store.resume().await.unwrap();
    assert_eq!(changes.next().await, Some(Change::Resync { revision: Revision(2) }));
    store.apply(put("d")).await.unwrap();
    assert_eq!(changes.next().await.unwrap().revision(), Revision(3));
    assert_eq!(store.rooms(RoomQuery::default()).await.unwrap().len(), 3);
    store.suspend().await.unwrap();
    store.close().await.unwrap();
    assert_eq!(changes.next().await, None);
}

#[tokio::test]
async fn commits_are_told_in_order_and_only_when_they_change_something() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("s.db")).await);
    let mut changes = store.changes();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = store.clone();
        tasks.spawn(async move { store.apply(put(&format!("r{}", n % 25))).await });
    }
    while let Some(result) = tasks.join_next().await {
        result.unwrap().unwrap();
    }
    for n in 1..=25 {
        let Some(Change::Commit { revision, touched }) = changes.next().await else { panic!("a gap") };
        assert_eq!((revision, touched.len()), (Revision(n), 1));
    }
    assert_eq!(changes.try_next(), None);
}

#[tokio::test]
async fn a_failing_batch_takes_back_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    store.apply(put("a")).await.unwrap();
    // Sent before the writer answers, so that they share commits.
    let batches = (0..60).map(|n| {
        let mut batch = WriteBatch::relaxed();
        batch.put_message(message("a", &format!("m{n}"), n)).put_pending(pending("a", &format!("t{n}")));
        if n % 3 == 0 {
            batch.put_message(message("nowhere", "x", 0));
        }
        store.apply(batch)
    });
    let mut seqs = Vec::new();
    for (n, result) in futures(batches).await.into_iter().enumerate() {
        match result {
            Ok(commit) => seqs.push(commit.assigned[0].1),
            Err(error) => assert!(n % 3 == 0 && error.kind() == ErrorKind::Invalid, "{error:?}"),
        }
    }
    assert_eq!(seqs, (1..=40).collect::<Vec<u64>>(), "what is taken back uses up no number");
    assert_eq!(store.count(&room_id("a"), None).await.unwrap(), 40);
    let usage = store.usage().await.unwrap();
    assert_eq!(usage.collections[1].1.rows, 40);
    assert_eq!(store.apply(put("b")).await.unwrap().revision, Revision(42));
}

/// Hands all of them over before it waits for any.
async fn futures<F: Future<Output = Result<Commit>>>(calls: impl Iterator<Item = F>) -> Vec<Result<Commit>> {
    let mut calls: Vec<_> = calls.map(|call| (Box::pin(call), None)).collect();
    std::future::poll_fn(|cx| {
        for (call, result) in &mut calls {
            if let (None, Poll::Ready(ready)) = (&result, call.as_mut().poll(cx)) {
                *result = Some(ready);
            }
        }
        Poll::Ready(())
    })
    .await;
    let mut results = Vec::new();
    for (call, result) in calls {
        results.push(match result {
            Some(result) => result,
            None => call.await,
        });
    }
    results
}

#[tokio::test]
async fn a_dropped_call_is_applied_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    for n in 0..200 {
        let mut batch = WriteBatch::relaxed();
        batch.put_room(room(&format!("x{n}"))).put_room(room(&format!("y{n}")));
        let call = store.apply(batch);
        tokio::select! { biased; _ = call => {}, () = async { for _ in 0..n % 5 { tokio::task::yield_now().await; } } => {} }
    }
    store.close().await.unwrap();
    let store = open(&path).await;
    let rooms = store.rooms(RoomQuery::default()).await.unwrap();
    let count = |first: &str| rooms.iter().filter(|room| room.id.as_str().starts_with(first)).count();
    assert_eq!(count("!x"), count("!y"));
    assert_eq!(count("!x"), 200, "close finishes what was accepted");
}

#[tokio::test]
async fn a_store_dropped_without_close_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    for n in 0..20 {
        let store = open(&path).await;
        store.apply(put(&format!("r{n}"))).await.unwrap();
        drop(store);
    }
    let store = open(&path).await;
    assert_eq!(store.rooms(RoomQuery::default()).await.unwrap().len(), 20);
}

#[test]
fn no_runtime_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let work = async {
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        let read = store.room(&room_id("a")).await.unwrap();
        store.close().await.unwrap();
        read
    };
    assert!(block_on(work).is_some());
}

/// The least of executors: parks the thread.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
