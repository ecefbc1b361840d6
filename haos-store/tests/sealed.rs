//! Sealed stores through their url.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use std::path::Path;

use haos_store::{
    ErrorKind, KdfParams, KeyChange, Maintenance, OpenOptions, Opened, Progress, Secret, open, open_with,
    seal, unseal,
};
use haos_store_api::{Membership, Room, RoomId, RoomQuery, WriteBatch};

/// Cheap, for tests alone.
const KDF: KdfParams = KdfParams { memory_kib: 8, passes: 1, lanes: 1 };

fn with(secret: Option<Secret>) -> OpenOptions {
    OpenOptions { secret, kdf: KDF, ..OpenOptions::default() }
}

fn words(words: &str) -> OpenOptions {
    with(Some(Secret::passphrase(words)))
}

async fn write(opened: &Opened) {
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(RoomId::new("!quiet-lagoon").unwrap(), Membership::Join));
    opened.store.apply(batch).await.unwrap();
}

async fn rooms(opened: &Opened) -> usize {
    opened.store.rooms(RoomQuery::latest(9)).await.unwrap().len()
}

async fn kind(url: &str, options: &OpenOptions) -> ErrorKind {
    open_with(url, options).await.unwrap_err().kind()
}

/// Tells if the written text shows in any file of the folder.
fn shows(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let has = |path| std::fs::read(path).unwrap().windows(12).any(|part| part == b"quiet-lagoon");
        if path.is_dir() { shows(&path) } else { has(&path) }
    })
}

#[cfg(feature = "memory")]
#[tokio::test]
async fn memory() {
    let opened = open_with("memory:", &words("red")).await.unwrap();
    assert!(opened.capabilities.sealed && !opened.capabilities.persistent);
    write(&opened).await;
    let change = KeyChange::SetPassphrase(Secret::passphrase("blue"), KDF);
    opened.store.change_keys(change).await.unwrap();
    opened.store.maintain(Maintenance::Rotate, Progress::none()).await.unwrap();
    assert_eq!(rooms(&opened).await, 1);

    let plain = open("memory:").await.unwrap();
    assert!(!plain.capabilities.sealed);
    let error = plain.store.change_keys(KeyChange::RemovePassphrase).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotSealed);
}

/// The urls of new stores in a folder, one for each backend of this build.
fn urls(folder: &Path) -> Vec<String> {
    let built = [("sqlite", cfg!(feature = "sqlite")), ("sled", cfg!(feature = "sled"))];
    let built = built.iter().filter(|(_, built)| *built);
    built.map(|(scheme, _)| format!("{scheme}:{}", folder.join(scheme).display())).collect()
}

#[tokio::test]
async fn made_sealed() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let opened = open_with(&url, &words("red")).await.unwrap();
        assert!(opened.capabilities.sealed, "{url}");
        write(&opened).await;
        let key = KeyChange::AddKey("phone".to_owned(), Secret::key([7; 32]));
        opened.store.change_keys(key).await.unwrap();
        opened.store.close().await.unwrap();
        assert!(!shows(folder.path()), "{url}");

        assert_eq!(kind(&url, &with(None)).await, ErrorKind::Sealed, "{url}");
        assert_eq!(kind(&url, &words("blue")).await, ErrorKind::WrongKey, "{url}");
        assert_eq!(kind(&url, &with(Some(Secret::key([8; 32])))).await, ErrorKind::WrongKey, "{url}");
        for right in [words("red"), with(Some(Secret::key([7; 32])))] {
            let opened = open_with(&url, &right).await.unwrap();
            assert_eq!(rooms(&opened).await, 1, "{url}");
            opened.store.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_plain_store_is_sealed_and_unsealed() {
    let folder = tempfile::tempdir().unwrap();
    for url in urls(folder.path()) {
        let opened = open(&url).await.unwrap();
        write(&opened).await;
        let busy = seal(&url, &OpenOptions { busy_ms: 50, ..words("red") }, Progress::none()).await;
        assert_eq!(busy.unwrap_err().kind(), ErrorKind::Busy, "{url}");
        opened.store.close().await.unwrap();
        assert_eq!(kind(&url, &words("red")).await, ErrorKind::NotSealed, "{url}");
        assert!(shows(folder.path()), "{url}");

        let failed = seal(&url, &with(None), Progress::none()).await.unwrap_err();
        assert_eq!(failed.kind(), ErrorKind::Invalid, "{url}");
        seal(&url, &words("red"), Progress::none()).await.unwrap();
        assert_eq!(kind(&url, &with(None)).await, ErrorKind::Sealed, "{url}");
        assert!(!shows(folder.path()), "{url}");

        for (wrong, kind) in [(with(None), ErrorKind::Sealed), (words("blue"), ErrorKind::WrongKey)] {
            assert_eq!(unseal(&url, &wrong, Progress::none()).await.unwrap_err().kind(), kind, "{url}");
        }
        unseal(&url, &words("red"), Progress::none()).await.unwrap();
        let opened = open(&url).await.unwrap();
        assert!(!opened.capabilities.sealed, "{url}");
        assert_eq!(rooms(&opened).await, 1, "{url}");
        opened.store.close().await.unwrap();
        std::fs::read_dir(folder.path()).unwrap().for_each(|entry| remove(&entry.unwrap().path()));
    }
}

fn remove(path: &Path) {
    if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
}

#[tokio::test]
async fn a_store_in_memory_is_not_converted() {
    for done in [
        seal("memory:", &words("red"), Progress::none()).await,
        unseal("memory:", &words("red"), Progress::none()).await,
    ] {
        assert_eq!(done.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
