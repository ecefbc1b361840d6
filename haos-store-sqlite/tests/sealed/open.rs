//! The secrets that open a store, and those that do not.

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;
use crate::vault::*;

/// Copies the files of an open store, as a crash would leave them.
async fn crashed(secret: Option<Secret>) -> tempfile::TempDir {
    let (folder, crash) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = folder.path().join("s.db");
    let options = SqliteOptions::new(&path);
    let options = secret.into_iter().fold(options, |options, secret| options.secret(secret));
    let store = SqliteStore::open(options).await.unwrap();
    store.apply(twins(100_000)).await.unwrap();
    for name in ["s.db", "s.db-wal"] {
        std::fs::copy(folder.path().join(name), crash.path().join(name)).unwrap();
    }
    store.close().await.unwrap();
    crash
}

#[tokio::test]
async fn a_refused_store_keeps_its_log_as_it_is() {
    let cases = [
        (Some(key()), None, ErrorKind::Sealed),
        (Some(key()), Some(wrong_key()), ErrorKind::WrongKey),
        (None, Some(key()), ErrorKind::NotSealed),
    ];
    for (made_with, opened_with, kind) in cases {
        let folder = crashed(made_with.clone()).await;
        let path = folder.path().join("s.db");
        let before = files(folder.path());
        let options = SqliteOptions::new(&path);
        let options = opened_with.into_iter().fold(options, |options, secret| options.secret(secret));
        assert_eq!(refusal(options).await, kind);
        for (file, bytes) in &before {
            assert!(std::fs::read(file).is_ok_and(|now| now == *bytes), "{kind:?}: {file:?} has changed");
        }
    }
}

#[tokio::test]
async fn a_plain_store_that_holds_nothing_becomes_a_sealed_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    open(&path).await.close().await.unwrap();
    make(&path, key()).await;
    assert_eq!(refusal(SqliteOptions::new(&path)).await, ErrorKind::Sealed);
}

#[tokio::test]
async fn a_sealed_store_whose_keyring_is_gone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    raw(&path).execute("DELETE FROM keyring", ()).unwrap();
    assert_eq!(refusal(with(&path, key())).await, ErrorKind::Corrupt);
}

#[tokio::test]
async fn no_secret_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let options = with(&path, words("correct horse"));
    assert!(!format!("{options:?}").contains("horse"));
    let store = SqliteStore::open(options).await.unwrap();
    assert!(!format!("{store:?}").contains("horse"));
}
