//! Chores: compaction, the check, and what a store says of its size.

use std::sync::{Arc, Mutex};

use haos_store_api::kv::keys;
use haos_store_api::*;
use haos_store_sled::{OnDamage, SledOptions, SledStore};

use crate::common::*;

type Steps = Arc<Mutex<Vec<(u64, u64)>>>;

fn recorder() -> (Progress, Steps) {
    let steps = Steps::default();
    let own = steps.clone();
    (Progress::to(move |done, total| own.lock().unwrap().push((done, total))), steps)
}

#[tokio::test]
async fn compaction_frees_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s")).await;
    store.apply(sample()).await.unwrap();
    let (progress, steps) = recorder();
    let report = store.maintain(Maintenance::Compact, progress).await.unwrap();
    assert_eq!((report.freed_bytes, report.findings), (0, Vec::new()));
    assert_eq!(*steps.lock().unwrap(), [(1, 1)]);
    assert_eq!(txns(&store).await.len(), 3);
}

#[tokio::test]
async fn a_sound_store_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s")).await;
    store.apply(sample()).await.unwrap();
    let (progress, steps) = recorder();
    let report = store.maintain(Maintenance::Check, progress).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    assert_eq!(report.rows, 2 + 21 + 1 + 3 + 1 + 3);
    assert_eq!(steps.lock().unwrap().last(), Some(&(report.rows, report.rows)));
}

/// What is done to the tree behind the store's back.
type Tamper = fn(&sled::Tree);

/// The first key of a collection or an index, and its value.
fn first(tree: &sled::Tree, tag: u8) -> (sled::IVec, sled::IVec) {
    tree.scan_prefix([tag]).next().unwrap().unwrap()
}

/// Flips a bit of a value, `at` bytes from its start.
fn flip(tree: &sled::Tree, tag: u8, at: usize) {
    let (key, value) = first(tree, tag);
    let mut value = value.to_vec();
    value[at] ^= 1;
    tree.insert(key, value).unwrap();
}

#[tokio::test]
async fn what_does_not_fit_together_is_found() {
    let tampers: [(Tamper, &str); 11] = [
        (|t| drop(t.remove(first(t, keys::EVENT).0)), "messages: an index does not find it"),
        (|t| drop(t.remove(first(t, keys::MESSAGE).0)), "an index of messages: an index names a row"),
        (|t| flip(t, keys::MESSAGE, 20), "messages: its keys"),
        (|t| flip(t, keys::MESSAGE, 80), "messages: decode"),
        (|t| drop(t.remove(first(t, keys::NUMBER).0)), "messages: its room is not stored"),
        (|t| drop(t.remove(first(t, keys::ACTIVITY).0)), "rooms: an index does not find it"),
        (|t| flip(t, keys::ROOM, 5), "rooms: decode"),
        (|t| drop(t.remove(first(t, keys::GAP).0)), "gaps: the sums"),
        (|t| drop(t.remove(first(t, keys::CHUNK).0)), "lacks some of its bytes"),
        (|t| drop(t.remove(first(t, keys::MEDIA).0)), "chunks belong to no item"),
        (|t| flip(t, keys::STATE, 20), "state: decode"),
    ];
    for (tamper, finding) in tampers {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        let db = sled::open(path.join("sled")).unwrap();
        tamper(&db.open_tree("haos").unwrap());
        drop(db);
        let store = open(&path).await;
        let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
        assert!(report.findings.iter().any(|f| f.contains(finding)), "{finding}: {:?}", report.findings);
        let told = report.findings.join("\n");
        assert!(!told.contains("unsent") && !told.contains("text of"), "content is told: {told}");
        store.close().await.unwrap();
        // The same, asked for at open: it is damage.
        let checked = SledOptions::new(&path).check(true).on_damage(OnDamage::Refuse);
        assert_eq!(SledStore::open(checked).await.unwrap_err().kind(), ErrorKind::Corrupt, "{finding}");
    }
}

/// A row that its room's index lacks would not be sent, and nobody would be told.
#[tokio::test]
async fn an_outbox_that_is_not_indexed_whole_is_damage_at_once() {
    for tag in [keys::PENDING_ROOM, keys::PENDING_TXN] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let store = open(&path).await;
        store.apply(sample()).await.unwrap();
        store.close().await.unwrap();
        let db = sled::open(path.join("sled")).unwrap();
        let tree = db.open_tree("haos").unwrap();
        tree.remove(first(&tree, tag).0).unwrap();
        drop((tree, db));
        let refusing = SledOptions::new(&path).on_damage(OnDamage::Refuse);
        assert_eq!(SledStore::open(refusing).await.unwrap_err().kind(), ErrorKind::Corrupt);
        let store = open(&path).await;
        let recovery = store.info().recovery.unwrap();
        assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0), "{recovery:?}");
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_check_and_writes_at_once_find_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("s")).await);
    store.apply(sample()).await.unwrap();
    let own = store.clone();
    let writes = tokio::spawn(async move {
        for n in 0..100_u64 {
            let mut batch = WriteBatch::relaxed();
            batch
                .put_message(message("a", &format!("w{n}"), 100 + n))
                .put_media(media("dog"), pattern(70_000));
            batch.remove_pending(txn("x")).put_pending(pending("a", "x")).remove_media(media_key("cat"));
            own.apply(batch).await.unwrap();
        }
    });
    while !writes.is_finished() {
        is_sound(&store).await;
    }
    writes.await.unwrap();
    is_sound(&store).await;
}

#[tokio::test]
async fn a_check_ends_with_its_caller_and_with_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(&folder.path().join("s")).await);
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
    let store = open(&folder.path().join("s")).await;
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
