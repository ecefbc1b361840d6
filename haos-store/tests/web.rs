//! The facade in a browser.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test fails so")]

use haos_store::{ErrorKind, OpenOptions, Secret, open, open_with};
use haos_store_api::{Membership, Room, RoomId, RoomQuery, WriteBatch};
use wasm_bindgen_test::wasm_bindgen_test;

#[wasm_bindgen_test]
async fn what_is_written_is_read_again() {
    let sealed = OpenOptions { secret: Some(Secret::key([7; 32])), ..OpenOptions::default() };
    for (url, options) in [("idb:facade", OpenOptions::default()), ("idb:facade-sealed", sealed)] {
        let opened = open_with(url, &options).await.unwrap();
        let capabilities = &opened.capabilities;
        assert_eq!((capabilities.backend, capabilities.sealed), ("idb", options.secret.is_some()));
        assert!(capabilities.persistent && capabilities.strict && capabilities.evictable);
        let mut batch = WriteBatch::strict();
        batch.put_room(Room::new(RoomId::new("!a").unwrap(), Membership::Join));
        opened.store.apply(batch).await.unwrap();
        opened.store.close().await.unwrap();
        let opened = open_with(url, &options).await.unwrap();
        assert_eq!(opened.store.rooms(RoomQuery::latest(9)).await.unwrap().len(), 1, "{url}");
        opened.store.close().await.unwrap();
    }
    assert_eq!(open("idb:facade-sealed").await.unwrap_err().kind(), ErrorKind::Sealed);
}

#[wasm_bindgen_test]
async fn what_is_not_for_browsers_says_so() {
    for url in ["sqlite:chat", "sled:chat"] {
        let error = open(url).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("idb:NAME"), "{error}");
    }
    let none = OpenOptions { create: false, ..OpenOptions::default() };
    assert_eq!(open_with("idb:facade-none", &none).await.unwrap_err().kind(), ErrorKind::Io);
}
