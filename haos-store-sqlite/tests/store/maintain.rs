//! Compaction.

use std::sync::{Arc, Mutex};

use haos_store_api::*;

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
