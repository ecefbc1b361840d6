//! A full cache never refuses a message.

use std::sync::Arc;

use haos_backends::{Home, on_every_store};
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{Outbox, PauseReason, TokioHost};
use haos_sim::SimProtocol;
use haos_store_api::*;

use crate::client::{draft, options, room};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cache_never_refuses_a_message() {
    on_every_store(async |mut home: Home| {
        let store = home.open().await;
        let pressure = PressureOptions {
            quota_bytes: Some(256 << 10),
            headroom_bytes: 64 << 10,
            ..PressureOptions::default()
        };
        let host = Arc::new(TokioHost);
        let kept = Arc::new(Kept::new(store.clone(), host.clone(), pressure));
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
        while store.apply(cached(stored)).await.is_ok() && kept.check().await.unwrap().used_bytes < 190 << 10
        {
            stored += 1;
        }
        let mut more = WriteBatch::relaxed();
        for op in cached(999).ops() {
            if let Op::PutMedia(info, bytes) = op {
                more.put_media(MediaInfo { pinned: false, ..info.clone() }, bytes.clone());
            }
        }
        let refused = kept.apply(more).await.map_err(|e| e.kind());
        assert_eq!(refused.map(drop), Err(ErrorKind::Full), "the cache is full");

        let outbox = Outbox::new(kept, host, Arc::new(SimProtocol), options()).unwrap();
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

/// However full the store is, the account can be paused, and goes on.
#[tokio::test]
async fn a_full_store_refuses_drafts_and_no_pause() {
    let pressure = PressureOptions { quota_bytes: Some(1), ..PressureOptions::default() };
    let host = Arc::new(TokioHost);
    let kept = Arc::new(Kept::new(MemoryStore::new(), host.clone(), pressure));
    let outbox = Outbox::new(kept, host, Arc::new(SimProtocol), options()).unwrap();
    let refused = outbox.enqueue(draft("a", "m.room.message", r#"{"body":"x"}"#)).await.unwrap_err();
    assert!(refused.to_string().contains("the storage is full"), "{refused}");
    outbox.pause(None, PauseReason::User).await.unwrap();
    assert_eq!(outbox.paused(None).await.unwrap(), Some(PauseReason::User));
    outbox.resume(None).await.unwrap();
}
