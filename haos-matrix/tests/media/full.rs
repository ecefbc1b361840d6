//! A full store: media makes room for media, and the outbox keeps what is its own.

use std::sync::Arc;

use haos_matrix::{MediaCache, MediaError, Variant};
use haos_queue::pressure::PressureOptions;
use haos_sim::Tight;
use haos_store_api::*;

use crate::server::*;
use crate::stores::*;

const QUOTA: u64 = 2_000_000;
const HEADROOM: u64 = 200_000;

async fn used(store: &Store) -> u64 {
    store.usage().await.unwrap().collections.iter().map(|(_, size)| size.bytes).sum()
}

#[tokio::test]
async fn the_headroom_is_the_outboxs() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let (quota_bytes, headroom_bytes) = (Some(QUOTA), HEADROOM);
        let options = PressureOptions { quota_bytes, headroom_bytes, ..PressureOptions::default() };
        let kept = home.kept(&store, options);
        let cache = MediaCache::new(home.server.clone(), kept.clone());
        for n in 0..12 {
            home.server.has(&uri(n), File::of(&bytes(600_000), 60_000));
            assert_eq!(cache.get(&request(n)).await.unwrap().info.size, 600_000);
            home.clock.pass(MINUTE_MS);
            assert!(used(&store).await <= QUOTA - HEADROOM);
            assert_eq!(parts(&store).await, 0);
        }
        assert!(whole(&store).await.contains(&"m11".to_owned()), "the newest is there");
        // The user's own bytes still fit.
        let mut batch = WriteBatch::strict();
        let local = MediaUri::new("haos-local:t").unwrap();
        let info = MediaInfo {
            key: MediaKey { uri: local, format: Variant::Original.format().unwrap() },
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: 0,
            fetched_at_ms: 0,
            pinned: true,
        };
        batch.put_media(info, bytes(HEADROOM as usize - 1000));
        kept.apply(batch).await.unwrap();

        home.server.has(&uri(99), File::of(&bytes(1_900_000), 100_000));
        let error = cache.get(&request(99)).await.unwrap_err();
        assert!(matches!(error, MediaError::Full) && error.to_string().contains("free space"));
        assert_eq!(parts(&store).await, 0, "what had come of it gives its room back");
    })
    .await;
}

#[tokio::test]
async fn a_full_device_evicts_and_tries_again() {
    let home = Home::new(Backend::Memory, false);
    let store: Store = Arc::new(Tight::new(1_000_000, u64::MAX));
    let room = RoomId::new("!r").unwrap();
    let mut batch = WriteBatch::relaxed();
    batch.put_room(Room::new(room.clone(), Membership::Join));
    store.apply(batch).await.unwrap();
    let cache = home.cache(&store);
    for n in 0..8 {
        home.server.has(&uri(n), File::of(&bytes(300_000), 50_000));
        assert_eq!(cache.get(&request(n)).await.unwrap().info.size, 300_000);
        home.clock.pass(MINUTE_MS);
    }
    assert!(whole(&store).await.len() >= 2);
    home.server.has(&uri(99), File::of(&bytes(2_000_000), 50_000));
    assert!(matches!(cache.get(&request(99)).await, Err(MediaError::Full)));
    assert_eq!(parts(&store).await, 0);
    assert_eq!(cache.get(&request(3)).await.unwrap().info.size, 300_000, "and it goes on");
}
