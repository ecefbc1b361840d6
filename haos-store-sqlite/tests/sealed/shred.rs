//! Shredding: nothing opens the store any more, and no trace of its keys remains.

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;
use crate::vault::*;

#[tokio::test]
async fn nothing_opens_a_shredded_store_and_its_keys_are_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open_with(&path, words("words")).await;
    store.apply(twins(100_000)).await.unwrap();
    store.change_keys(KeyChange::AddKey("recovery".to_owned(), key())).await.unwrap();
    store.apply(twins(10)).await.unwrap();
    let record = keyring_record(&path);
    assert!(remains(folder.path(), &record), "what is looked for can be found");
    store.change_keys(KeyChange::Shred).await.unwrap();

    assert_eq!(store.room(&room_id("a")).await.unwrap_err().kind(), ErrorKind::Closed);
    assert!(!remains(folder.path(), &record[16..]));
    let before = lasting(folder.path());
    for secret in [words("words"), key(), words("other"), wrong_key()] {
        assert_eq!(refusal(with(&path, secret)).await, ErrorKind::WrongKey);
    }
    assert_eq!(refusal(SqliteOptions::new(&path)).await, ErrorKind::Sealed);
    assert!(before == lasting(folder.path()));
}

#[tokio::test]
async fn the_keys_are_overwritten_though_another_handle_has_the_store_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let (ours, theirs) = (unsealed(&path).await, unsealed(&path).await);
    assert_eq!(txns(&theirs).await.len(), 3);
    let record = keyring_record(&path);
    ours.change_keys(KeyChange::Shred).await.unwrap();
    assert!(!remains(folder.path(), &record[16..]));

    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "late"));
    assert_eq!(theirs.apply(batch).await.unwrap_err().kind(), ErrorKind::WrongKey);
    theirs.close().await.unwrap();
    assert_eq!(refusal(with(&path, key())).await, ErrorKind::WrongKey);
}

/// A reader in the middle of something keeps the log from being emptied; later, it is.
#[tokio::test]
async fn the_keys_are_overwritten_once_the_last_reader_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = SqliteStore::open(with(&path, key()).busy_ms(50)).await.unwrap();
    let record = keyring_record(&path);
    let reader = raw(&path);
    reader.execute_batch("BEGIN; SELECT count(*) FROM room").unwrap();
    store.change_keys(KeyChange::Shred).await.unwrap();
    drop(reader);
    assert_eq!(refusal(with(&path, key())).await, ErrorKind::WrongKey);
    assert!(!remains(folder.path(), &record[16..]));
}

/// Triggers in the file's schema cannot keep a keyring that is replaced.
#[tokio::test]
async fn triggers_keep_no_keys() {
    for change in [KeyChange::SetPassphrase(words("new"), quick()), KeyChange::Shred] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open_with(&path, words("words")).await;
        store.apply(twins(10)).await.unwrap();
        store.close().await.unwrap();
        raw(&path)
            .execute_batch(
                "CREATE TABLE kept (record); INSERT INTO kept VALUES ('to be found');
                 CREATE TRIGGER copy BEFORE UPDATE ON keyring BEGIN INSERT INTO kept VALUES (OLD.payload); END;
                 CREATE TRIGGER keep BEFORE UPDATE ON keyring BEGIN SELECT RAISE(IGNORE); END;",
            )
            .unwrap();
        let record = keyring_record(&path);
        assert!(remains(folder.path(), &record));
        let store = open_with(&path, words("words")).await;
        store.change_keys(change).await.unwrap();
        store.close().await.unwrap();
        assert!(!remains(folder.path(), &record[16..]));
        assert_eq!(refusal(with(&path, words("words"))).await, ErrorKind::WrongKey);
        assert_eq!(raw(&path).query_row("SELECT count(*) FROM kept", (), |row| row.get(0)), Ok(1));
    }
}
