//! Changes of who can open a store.

use haos_store_api::*;
use haos_store_sqlite::SqliteStore;

use crate::common::*;
use crate::vault::*;

async fn change(store: &SqliteStore, change: KeyChange) -> Result<()> {
    store.change_keys(change).await
}

#[tokio::test]
async fn after_a_change_of_passphrase_the_new_one_opens_and_the_old_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, words("old")).await;
    let record = keyring_record(&path);
    let store = open_with(&path, words("old")).await;
    change(&store, KeyChange::SetPassphrase(words("new"), quick())).await.unwrap();
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "after"));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();

    assert_eq!(refusal(with(&path, words("old"))).await, ErrorKind::WrongKey);
    let store = open_with(&path, words("new")).await;
    assert_eq!(txns(&store).await, ["t1", "t2", "t3", "after"]);
    assert!(!remains(folder.path(), &record[24..]), "the old slot is overwritten");
}

#[tokio::test]
async fn a_recovery_key_opens_the_store_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, words("words")).await;
    let store = open_with(&path, words("words")).await;
    change(&store, KeyChange::AddKey("recovery".to_owned(), key())).await.unwrap();
    store.close().await.unwrap();

    let store = open_with(&path, key()).await;
    assert_eq!(txns(&store).await.len(), 3);
    // Whoever has forgotten the passphrase sets another.
    change(&store, KeyChange::SetPassphrase(words("remembered"), quick())).await.unwrap();
    change(&store, KeyChange::RemoveKey("recovery".to_owned())).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(refusal(with(&path, key())).await, ErrorKind::WrongKey);
    assert_eq!(refusal(with(&path, words("words"))).await, ErrorKind::WrongKey);
    assert_eq!(txns(&open_with(&path, words("remembered")).await).await.len(), 3);
}

#[tokio::test]
async fn a_key_of_the_same_name_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    for n in [20, 21] {
        change(&store, KeyChange::AddKey("phone".to_owned(), Secret::key([n; 32]))).await.unwrap();
    }
    store.close().await.unwrap();
    assert_eq!(refusal(with(&path, Secret::key([20; 32]))).await, ErrorKind::WrongKey);
    assert_eq!(txns(&open_with(&path, Secret::key([21; 32])).await).await.len(), 3);
}

#[tokio::test]
async fn the_last_secret_stays() {
    let folder = tempfile::tempdir().unwrap();
    for (name, secret, last) in [
        ("words.db", words("words"), KeyChange::RemovePassphrase),
        ("key.db", key(), KeyChange::RemoveKey("key".to_owned())),
    ] {
        let path = folder.path().join(name);
        make(&path, secret.clone()).await;
        let store = open_with(&path, secret.clone()).await;
        let before = keyring_record(&path);
        assert_eq!(change(&store, last.clone()).await.unwrap_err().kind(), ErrorKind::Invalid);
        assert!(keyring_record(&path) == before, "nothing is written");
        assert_eq!(txns(&store).await.len(), 3, "the store goes on");

        change(&store, KeyChange::AddKey("other".to_owned(), Secret::key([9; 32]))).await.unwrap();
        change(&store, last).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(refusal(with(&path, secret)).await, ErrorKind::WrongKey);
        assert_eq!(txns(&open_with(&path, Secret::key([9; 32])).await).await.len(), 3);
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_made_is_invalid_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    let before = keyring_record(&path);
    for wrong in [
        KeyChange::SetPassphrase(key(), quick()),
        KeyChange::SetPassphrase(words("x"), KdfParams { memory_kib: u32::MAX, ..quick() }),
        KeyChange::SetPassphrase(words("x"), KdfParams { passes: 0, ..quick() }),
        KeyChange::RemovePassphrase,
        KeyChange::RemoveKey("nobody".to_owned()),
        KeyChange::AddKey(String::new(), Secret::key([9; 32])),
        KeyChange::AddKey("n".repeat(65), Secret::key([9; 32])),
        KeyChange::AddKey("words".to_owned(), words("words")),
    ] {
        assert_eq!(change(&store, wrong.clone()).await.unwrap_err().kind(), ErrorKind::Invalid, "{wrong:?}");
    }
    assert!(keyring_record(&path) == before);
}

#[tokio::test]
async fn a_plain_store_has_no_keys_to_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("s.db")).await;
    store.apply(sample()).await.unwrap();
    for change in [KeyChange::SetPassphrase(words("x"), quick()), KeyChange::Shred] {
        assert_eq!(store.change_keys(change).await.unwrap_err().kind(), ErrorKind::NotSealed);
    }
    let error = store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSealed);
    assert_eq!(txns(&store).await.len(), 3);
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

/// Writes wait behind a change of keys; it must not wait for whoever reads.
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
