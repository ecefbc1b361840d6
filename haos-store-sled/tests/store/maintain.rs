//! Compaction, and an outbox that is not indexed whole.

use std::sync::{Arc, Mutex};

use haos_store_api::backend::kv::keys;
use haos_store_api::*;
use haos_store_sled::{OnDamage, SledOptions, SledStore};

use crate::common::*;

#[tokio::test]
async fn compaction_frees_nothing_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s")).await;
    store.apply(sample()).await.unwrap();
    let steps = Arc::new(Mutex::new(Vec::new()));
    let told = steps.clone();
    let progress = Progress::to(move |done, total| told.lock().unwrap().push((done, total)));
    let report = store.maintain(Maintenance::Compact, progress).await.unwrap();
    assert_eq!((report.freed_bytes, report.findings), (0, Vec::new()));
    assert_eq!(*steps.lock().unwrap(), [(1, 1)]);
    assert_eq!(txns(&store).await.len(), 3);
}

/// A row that its room's index lacks would not be sent, without a report to anybody.
#[tokio::test]
async fn an_outbox_that_is_not_indexed_whole_is_damage_at_once() {
    for tag in [keys::PENDING_ROOM, keys::PENDING_TXN] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        make(&path).await;
        Raw::open(&path).remove(tag);
        let refusing = SledOptions::new(&path).on_damage(OnDamage::Refuse);
        assert_eq!(SledStore::open(refusing).await.unwrap_err().kind(), ErrorKind::Corrupt);
        let store = open(&path).await;
        let recovery = store.info().recovery.unwrap();
        assert_eq!((recovery.salvaged, recovery.unreadable), (3, 0), "{recovery:?}");
        store.close().await.unwrap();
    }
}
