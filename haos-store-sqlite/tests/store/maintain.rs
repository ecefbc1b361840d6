//! Chores: compaction, the check, and what a store says of its size.

use std::sync::{Arc, Mutex};

use haos_store_api::*;
use rusqlite::Connection;

use crate::common::*;

type Steps = Arc<Mutex<Vec<(u64, u64)>>>;

fn recorder() -> (Progress, Steps) {
    let steps = Steps::default();
    let own = steps.clone();
    (Progress::to(move |done, total| own.lock().unwrap().push((done, total))), steps)
}

#[tokio::test]
async fn compaction_gives_space_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room("a")).put_media(media("big"), pattern(20 << 20));
    store.apply(batch).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.remove_media(media_key("big"));
    store.apply(batch).await.unwrap();
    let before = store.usage().await.unwrap();
    assert!(before.free_bytes > 19 << 20, "{before:?}");

    let (progress, steps) = recorder();
    let report = store.maintain(Maintenance::Compact, progress).await.unwrap();
    assert!(report.freed_bytes >= before.free_bytes, "{report:?}");
    let steps = steps.lock().unwrap().clone();
    assert!(steps.len() > 3 && steps.is_sorted(), "{steps:?}");
    let (done, total) = steps[steps.len() - 1];
    assert_eq!(done, total);
    let after = store.usage().await.unwrap();
    assert_eq!(after.free_bytes, 0);
    assert!(after.total_bytes < 1 << 20, "{after:?}");
    assert!(store.room(&room_id("a")).await.unwrap().is_some());
    // Nothing left to do.
    assert_eq!(store.maintain(Maintenance::Compact, Progress::none()).await.unwrap().freed_bytes, 0);
}

#[tokio::test]
async fn a_compaction_that_is_cut_off_does_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    let mut batch = WriteBatch::relaxed();
    batch.put_room(room("a")).put_media(media("big"), pattern(20 << 20));
    store.apply(batch).await.unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.remove_media(media_key("big"));
    store.apply(batch).await.unwrap();
    for _ in 0..3 {
        let (progress, steps) = recorder();
        let cut = async {
            while steps.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! { _ = store.maintain(Maintenance::Compact, progress) => {}, () = cut => {} }
        let mut batch = WriteBatch::relaxed();
        batch.put_room(Room { name: None, ..room("a") });
        store.apply(batch).await.unwrap();
    }
    store.maintain(Maintenance::Compact, Progress::none()).await.unwrap();
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[tokio::test]
async fn a_sound_store_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    store.apply(sample()).await.unwrap();
    let (progress, steps) = recorder();
    let report = store.maintain(Maintenance::Check, progress).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.rows, 2 + 21 + 1 + 3 + 1 + 3);
    assert_eq!(steps.lock().unwrap().last(), Some(&(report.rows, report.rows)));
}

#[tokio::test]
async fn what_does_not_fit_together_is_found() {
    for (tamper, finding) in [
        (
            "UPDATE message SET key = randomblob(16) WHERE pos = (SELECT min(pos) FROM message)",
            "it stands under another's key",
        ),
        ("UPDATE message SET sender = 5 WHERE pos = (SELECT min(pos) FROM message)", "messages: row"),
        ("UPDATE message SET payload = '{}' WHERE pos = (SELECT min(pos) FROM message)", "damaged"),
        ("DELETE FROM message WHERE pos = (SELECT min(pos) FROM message)", "sums"),
        ("UPDATE gap SET pos = (SELECT min(pos) FROM message)", "a message stands at its position"),
        ("DELETE FROM room WHERE nr = 1", "its room is not stored"),
        (
            "UPDATE room SET payload = json_set(payload, '$.room_id', '!x') WHERE nr = 1",
            "under another's key",
        ),
        ("UPDATE room SET revision = 99", "later than the store's"),
        ("UPDATE pending SET room = 5 WHERE seq = 1", "pending: decode: a row of pending is damaged"),
        ("UPDATE pending SET seq = 77 WHERE seq = 1", "never given"),
        ("DELETE FROM media_chunk", "lacks some of its bytes"),
        ("UPDATE media SET nr = 9", "belong to no item"),
        ("UPDATE state SET kind = 5", "state: row"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        Connection::open(&path).unwrap().execute_batch(tamper).unwrap();
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert!(report.findings.iter().any(|f| f.contains(finding)), "{tamper}: {:?}", report.findings);
        let told = report.findings.join("\n");
        assert!(!told.contains("unsent") && !told.contains("text of"), "content is told: {told}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_check_ends_with_its_caller_and_with_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("s.db")).await);
    for part in 0..20 {
        let mut batch = WriteBatch::relaxed();
        batch.put_room(room("a"));
        for n in part * 1000..(part + 1) * 1000 {
            batch.put_message(message("a", &format!("m{n}"), n));
        }
        store.apply(batch).await.unwrap();
    }
    let check = store.maintain(Maintenance::Check, Progress::none());
    tokio::select! { biased; _ = check => panic!("it takes longer"), () = tokio::task::yield_now() => {} }
    let own = store.clone();
    let check = tokio::spawn(async move { own.maintain(Maintenance::Check, Progress::none()).await });
    tokio::task::yield_now().await;
    store.close().await.unwrap();
    // It may have been fast.
    if let Err(error) = check.await.unwrap() {
        assert_eq!(error.kind(), ErrorKind::Closed, "{error:?}");
    }
}

#[tokio::test]
async fn usage_follows_every_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    store.apply(sample()).await.unwrap();
    let rows = |usage: &Usage| usage.collections.iter().map(|(_, size)| size.rows).collect::<Vec<_>>();
    let usage = store.usage().await.unwrap();
    assert_eq!(rows(&usage), [2, 21, 1, 3, 1, 3]);
    assert!(usage.collections[4].1.bytes > 100_000);

    let mut batch = WriteBatch::relaxed();
    batch.redact(Redact {
        room: room_id("a"),
        target: event_id("a0"),
        by: event_id("r"),
        content: Json::empty(),
    });
    store.apply(batch).await.unwrap();
    let less = store.usage().await.unwrap();
    assert!(less.collections[1].1.bytes < usage.collections[1].1.bytes);

    let mut batch = WriteBatch::relaxed();
    batch.prune(Prune { room: room_id("b"), keep: 3, protect: Vec::new() }).remove_room(room_id("a"));
    store.apply(batch).await.unwrap();
    let usage = store.usage().await.unwrap();
    assert_eq!(rows(&usage), [1, 3, 1, 3, 1, 1]);
    // The check counts them one by one.
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());

    let mut batch = WriteBatch::relaxed();
    batch.remove_room(room_id("b"));
    store.apply(batch).await.unwrap();
    assert_eq!(store.usage().await.unwrap().collections[1].1, Size::default());
}
