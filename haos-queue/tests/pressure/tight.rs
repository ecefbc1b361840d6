//! A device that is full and has little room for the log of a removal.

use std::sync::Arc;

use haos_queue::pressure::PressureOptions;
use haos_sim::Tight;
use haos_store_api::*;

use crate::common::*;

/// Fills a device with media and old messages; the log has room for two items.
async fn full() -> Store {
    let store: Store = Arc::new(Tight::new(400_000, 25_000));
    put_rooms(&store, 1).await;
    let mut batch = WriteBatch::relaxed();
    for n in 0..100 {
        batch.put_message(message(0, n, 1000));
    }
    store.apply(batch).await.unwrap();
    for n in 0..1000 {
        let mut batch = WriteBatch::relaxed();
        batch.put_media(media(&format!("mxc://{n:03}"), n), vec![1; 10_000]);
        if store.apply(batch).await.is_err() {
            break;
        }
    }
    store
}

#[tokio::test]
async fn it_is_emptied_a_little_at_a_time() {
    let store = full().await;
    let options = PressureOptions { keep_messages: 10, ..PressureOptions::default() };
    let kept = kept_at(&store, 1000, options);
    let mut unsent = 0;
    let error = loop {
        match kept.apply(enqueue(unsent, 20_000)).await {
            Ok(_) => unsent += 1,
            Err(error) => break error,
        }
        let gone = store.media_index(MediaQuery::default()).await.unwrap();
        let is_media_left = gone.iter().any(|item| !item.pinned);
        assert!(!is_media_left || store.count(&room(0), None).await.unwrap() == 100, "media goes first");
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(std::error::Error::source(&error).is_some_and(|e| e.to_string().contains("the device is full")));
    assert_eq!(unsent, 19, "all that the device takes");
    assert_eq!(store.count(&room(0), None).await.unwrap(), 10);
    all_unsent(&store, unsent, 20_000).await;
}

#[tokio::test]
async fn other_errors_are_handed_on() {
    let store = full().await;
    let kept = kept_at(&store, 0, PressureOptions::default());
    let mut conflict = WriteBatch::relaxed();
    conflict.expect_room(&room(0), None);
    assert_eq!(kept.apply(conflict).await.unwrap_err().kind(), ErrorKind::Conflict);
    store.close().await.unwrap();
    assert_eq!(kept.check().await.unwrap_err().kind(), ErrorKind::Closed);
}
