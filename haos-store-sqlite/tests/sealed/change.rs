//! Changes of the secrets of a store.

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

async fn change(store: &SqliteStore, change: KeyChange) -> Result<()> {
    store.change_keys(change).await
}

#[tokio::test]
async fn changes_by_two_handles_do_not_undo_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let (ours, theirs) = (unsealed(&path).await, unsealed(&path).await);
    for n in 0..3 {
        change(&ours, KeyChange::AddKey(format!("ours {n}"), Secret::key([20 + n; 32]))).await.unwrap();
        change(&theirs, KeyChange::AddKey(format!("theirs {n}"), Secret::key([30 + n; 32]))).await.unwrap();
    }
    ours.close().await.unwrap();
    theirs.close().await.unwrap();
    for n in [20, 21, 22, 30, 31, 32] {
        assert_eq!(txns(&open_with(&path, Secret::key([n; 32])).await).await.len(), 3, "{n}");
    }
}

/// Writes wait behind a change of keys; it must not wait for readers.
#[tokio::test]
async fn a_change_of_keys_does_not_wait_for_readers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    // So long that waiting for it cannot be mistaken for a slow machine.
    let store = SqliteStore::open(with(&path, key()).busy_ms(120_000)).await.unwrap();
    let reader = raw(&path);
    reader.execute_batch("BEGIN; SELECT count(*) FROM room").unwrap();
    let began = std::time::Instant::now();
    change(&store, KeyChange::SetPassphrase(words("new"), quick())).await.unwrap();
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
