//! What opens a store, and what does not.

use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::common::*;
use crate::vault::*;

#[tokio::test]
async fn a_secret_makes_a_new_store_a_sealed_one() {
    for secret in [key(), words("correct horse")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        let store = open_with(&path, secret.clone()).await;
        assert!(store.info().sealed);
        store.apply(twins(100_000)).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(key_ids(&path), [1].into());

        let store = open_with(&path, secret).await;
        assert!(store.info().sealed);
        assert_eq!(txns(&store).await, ["t1", "t2", "t3"]);
        let media = store.media(&media_key("cat"), ByteRange::ALL).await.unwrap().unwrap();
        assert_eq!(media.bytes, pattern(100_000));
        assert_eq!(check(&store).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn without_a_secret_a_sealed_store_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let before = lasting(folder.path());
    assert_eq!(refusal(SqliteOptions::new(&path)).await, ErrorKind::Sealed);
    assert_eq!(refusal(SqliteOptions::new(&path).check(true)).await, ErrorKind::Sealed);
    assert!(before == lasting(folder.path()));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_untouched() {
    for right in [key(), words("right")] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.db");
        make(&path, right.clone()).await;
        let before = lasting(folder.path());
        for wrong in [wrong_key(), words("wrong"), words("")] {
            assert_eq!(refusal(with(&path, wrong)).await, ErrorKind::WrongKey);
            assert!(before == lasting(folder.path()));
        }
        assert_eq!(txns(&open_with(&path, right).await).await.len(), 3);
    }
}

/// A copy of the files of an open store, as a crash would leave them.
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
async fn a_secret_for_a_plain_store_that_holds_something_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open(&path).await;
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
    let before = lasting(folder.path());
    for secret in [key(), words("correct horse")] {
        assert_eq!(refusal(with(&path, secret)).await, ErrorKind::NotSealed);
        assert!(before == lasting(folder.path()));
    }
    assert_eq!(txns(&open(&path).await).await.len(), 3);
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
async fn a_sealed_store_is_resumed_without_its_secret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    let store = open_with(&path, words("correct horse")).await;
    store.apply(twins(1000)).await.unwrap();
    store.suspend().await.unwrap();
    // Meanwhile another process changes who can open it, and rotates.
    let other = open_with(&path, words("correct horse")).await;
    other.change_keys(KeyChange::SetPassphrase(words("battery staple"), quick())).await.unwrap();
    other.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    other.close().await.unwrap();

    store.resume().await.unwrap();
    assert_eq!(txns(&store).await.len(), 3);
    let mut batch = WriteBatch::strict();
    batch.put_pending(pending("a", "after"));
    store.apply(batch).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(key_ids(&path), [2].into());
    let store = open_with(&path, words("battery staple")).await;
    assert_eq!(txns(&store).await, ["t1", "t2", "t3", "after"]);
}

#[tokio::test]
async fn a_store_that_was_shredded_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let store = unsealed(&path).await;
    store.suspend().await.unwrap();
    unsealed(&path).await.change_keys(KeyChange::Shred).await.unwrap();
    assert_eq!(store.resume().await.unwrap_err().kind(), ErrorKind::WrongKey);
}

#[tokio::test]
async fn a_keyring_of_which_one_byte_is_changed_is_refused_untouched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    let record = keyring_record(&path);
    for at in 0..record.len() {
        let mut bytes = record.clone();
        bytes[at] ^= 0x01;
        raw(&path).execute("UPDATE keyring SET payload = ?1", [&bytes]).unwrap();
        let before = lasting(folder.path());
        let kind = refusal(with(&path, key())).await;
        // The first byte is the version of the format.
        assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::NewerSchema), "byte {at}: {kind:?}");
        assert!(before == lasting(folder.path()), "byte {at}");
    }
}

#[tokio::test]
async fn a_sealed_store_whose_keyring_is_gone_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s.db");
    make(&path, key()).await;
    raw(&path).execute("DELETE FROM keyring", ()).unwrap();
    assert_eq!(refusal(with(&path, key())).await, ErrorKind::NotSealed);
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
