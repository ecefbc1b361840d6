//! A full cache never refuses a message.

use std::sync::Arc;

use haos_queue::pressure::{Keeper, PressureOptions};
use haos_queue::{Outbox, TokioHost};
use haos_sim::SimProtocol;
use haos_store_api::*;

use crate::client::{draft, options, room};
use crate::stores::{Home, on_every_store};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cache_never_refuses_a_message() {
    on_every_store(async |mut home: Home| {
        let store = home.open().await;
        let pressure = PressureOptions {
            quota_bytes: Some(256 << 10),
            headroom_bytes: 64 << 10,
            ..PressureOptions::default()
        };
        let keeper = Arc::new(Keeper::new(store.clone(), pressure));
        let cached = |n: usize| {
            let mut batch = WriteBatch::relaxed();
            let uri = MediaUri::new(format!("mxc://x/{n}")).unwrap();
            let info = MediaInfo {
                key: MediaKey { uri, format: MediaFormat::new("").unwrap() },
                size: 0,
                mime: None,
                rooms: Vec::new(),
                last_access_ms: n as i64,
                fetched_at_ms: 0,
                // Nothing of it can be evicted: only the headroom is left.
                pinned: true,
            };
            batch.put_media(info, vec![7; 16 << 10]);
            batch
        };
        let mut stored = 0;
        while store.apply(cached(stored)).await.is_ok()
            && keeper.check(0).await.unwrap().used_bytes < 190 << 10
        {
            stored += 1;
        }
        let mut more = WriteBatch::relaxed();
        for op in cached(999).ops() {
            if let Op::PutMedia(info, bytes) = op {
                more.put_media(MediaInfo { pinned: false, ..info.clone() }, bytes.clone());
            }
        }
        let refused = keeper.apply(more, 0).await.map_err(|e| e.kind());
        assert_eq!(refused.map(drop), Err(ErrorKind::Full), "the cache is full");

        let host = Arc::new(TokioHost);
        let outbox = Outbox::with_keeper(keeper, host, Arc::new(SimProtocol), options()).unwrap();
        for n in 0..20 {
            outbox.enqueue(draft("a", "m.room.message", &format!(r#"{{"body":"{n}"}}"#))).await.unwrap();
        }
        let staged = outbox.stage(&room("a"), None, vec![1; 4 << 10]).await.unwrap();
        let file = draft("a", "m.room.message", r#"{"body":"file"}"#).upload(staged);
        outbox.enqueue(file).await.unwrap();
        assert_eq!(outbox.rows(None).await.unwrap().len(), 22);
    })
    .await;
}

/// There is no moment at which a handle is without its keeper, nor a keeper of another store.
#[tokio::test]
async fn every_handle_has_the_keeper_and_its_store() {
    let store: Arc<dyn StorageAdapter> = Arc::new(MemoryStore::new());
    let pressure = PressureOptions { quota_bytes: Some(1), ..PressureOptions::default() };
    let keeper = Arc::new(Keeper::new(store.clone(), pressure));
    let host = Arc::new(TokioHost);
    let outbox = Outbox::with_keeper(keeper.clone(), host.clone(), Arc::new(SimProtocol), options()).unwrap();
    for outbox in [outbox.clone(), outbox] {
        assert!(outbox.keeper().is_some_and(|held| Arc::ptr_eq(held, &keeper)));
        assert!(Arc::ptr_eq(outbox.store(), &store));
        let refused = outbox.enqueue(draft("a", "m.room.message", r#"{"body":"x"}"#)).await.unwrap_err();
        assert!(refused.to_string().contains("the storage is full"), "asked of the keeper: {refused}");
    }
    let outbox = Outbox::new(store, host, Arc::new(SimProtocol), options()).unwrap();
    assert!(outbox.keeper().is_none());
    outbox.enqueue(draft("a", "m.room.message", r#"{"body":"x"}"#)).await.unwrap();
}
