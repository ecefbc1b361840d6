//! Each backend by its url, and what this build lacks.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use haos_store::{ErrorKind, OpenOptions, open, open_with};
use haos_store_api::{Membership, Room, RoomId, RoomQuery, WriteBatch};

#[tokio::test]
async fn what_is_written_is_read_again() {
    for (scheme, built) in [("sqlite", cfg!(feature = "sqlite")), ("sled", cfg!(feature = "sled"))] {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("{scheme}:{}", folder.path().join("chat").display());
        if !built {
            let error = open(&url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.to_string().contains(&format!("feature `{scheme}`")), "{error}");
            continue;
        }
        let opened = open(&url).await.unwrap();
        assert_eq!(opened.capabilities.backend, scheme);
        assert!(opened.capabilities.persistent && !opened.capabilities.sealed);
        let mut batch = WriteBatch::strict();
        batch.put_room(Room::new(RoomId::new("!a").unwrap(), Membership::Join));
        opened.store.apply(batch).await.unwrap();
        opened.store.close().await.unwrap();
        let opened = open(&url).await.unwrap();
        assert_eq!(opened.store.rooms(RoomQuery::latest(9)).await.unwrap().len(), 1, "{scheme}");
        opened.store.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_for_browsers_says_so() {
    let error = open("idb:chat").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("sqlite:PATH"), "{error}");
}

#[cfg(not(feature = "memory"))]
#[tokio::test]
async fn a_build_without_memory_says_so() {
    let error = open("memory:").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("feature `memory`"), "{error}");
}

#[tokio::test]
async fn only_a_plain_sqlite_store_has_views() {
    let folder = tempfile::tempdir().unwrap();
    let options = OpenOptions { views: true, ..OpenOptions::default() };
    let sqlite = format!("sqlite:{}", folder.path().join("s.db").display());
    let opened = open_with(&sqlite, &options).await.unwrap();
    opened.store.close().await.unwrap();
    let sled = format!("sled:{}", folder.path().join("s").display());
    for url in [&sled, "memory:"] {
        let error = open_with(url, &options).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, "views"), "{url}");
    }
    assert!(!folder.path().join("s").exists(), "nothing is made");
}
