//! Eviction: by age, by total, and never of items that are pinned or wait in the outbox.

use haos_matrix::{MediaError, MediaRequest};
use haos_store_api::*;

use crate::server::*;
use crate::stores::*;

async fn fill(home: &Home, cache: &haos_matrix::MediaCache, numbers: std::ops::Range<usize>) {
    for n in numbers {
        home.server.has(&uri(n), File::of(&bytes(100_000), 30_000));
        cache.get(&request(n)).await.unwrap();
        home.clock.pass(MINUTE_MS);
    }
}

fn total(max_total: u64) -> MediaPolicy {
    MediaPolicy { max_total, ..MediaPolicy::default() }
}

fn row(n: usize) -> Pending {
    let kind = EventType::new("m.room.message").unwrap();
    let (txn_id, room) = (TxnId::new(format!("t{n}")).unwrap(), RoomId::new("!r").unwrap());
    Pending { media: vec![key(n)], ..Pending::new(txn_id, room, kind, Json::empty(), 0) }
}

#[tokio::test]
async fn the_least_recently_used_goes_first() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache_of(&store, total(500_000));
        fill(&home, &cache, 0..5).await;
        let mut batch = WriteBatch::strict();
        batch.pin_media(key(0), true).put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Join));
        batch.put_pending(row(1));
        store.apply(batch).await.unwrap();
        // The second use is but noted when it matters: uses are written together.
        cache.get(&MediaRequest { range: ByteRange { start: 0, end: 1 }, ..request(4) }).await.unwrap();
        home.clock.pass(1000);
        cache.get(&MediaRequest { range: ByteRange { start: 0, end: 1 }, ..request(2) }).await.unwrap();
        fill(&home, &cache, 5..7).await;
        assert_eq!(whole(&store).await, ["m0", "m1", "m2", "m5", "m6"]);
        assert!(matches!(
            cache.get(&MediaRequest::new(uri(3))).await,
            Ok(media) if media.info.size == 100_000
        ));
        assert_eq!(home.server.requests(), 8, "what went is fetched again");
    })
    .await;
}

#[tokio::test]
async fn the_unused_goes_after_sixty_days() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        fill(&home, &cache, 0..3).await;
        home.clock.pass(40 * 24 * 60 * MINUTE_MS);
        cache.get(&request(1)).await.unwrap();
        home.clock.pass(30 * 24 * 60 * MINUTE_MS);
        fill(&home, &cache, 3..4).await;
        assert_eq!(whole(&store).await, ["m1", "m3"]);
    })
    .await;
}

#[tokio::test]
async fn what_must_stay_leaves_no_room() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache_of(&store, total(150_000));
        fill(&home, &cache, 0..1).await;
        let mut batch = WriteBatch::relaxed();
        batch.pin_media(key(0), true);
        store.apply(batch).await.unwrap();
        home.server.has(&uri(1), File::of(&bytes(100_000), 30_000));
        assert!(matches!(cache.get(&request(1)).await, Err(MediaError::Full)));
        home.server.has(&uri(2), File::of(&bytes(150_001), 30_000));
        assert!(matches!(cache.get(&request(2)).await, Err(MediaError::TooLarge { limit: 150_000, .. })));
        assert_eq!(whole(&store).await, ["m0"]);
    })
    .await;
}

#[tokio::test]
async fn a_rooms_media_goes_with_the_room() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        let room = |name: &str| Some(RoomId::new(name).unwrap());
        for (n, room) in [room("!r"), room("!r"), room("!s"), None, room("!r")].into_iter().enumerate() {
            home.server.has(&uri(n), File::of(&bytes(300_000), 30_000));
            cache.get(&MediaRequest { room, ..request(n) }).await.unwrap();
        }
        let mut batch = WriteBatch::strict();
        batch.put_room(Room::new(RoomId::new("!r").unwrap(), Membership::Leave));
        batch.pin_media(key(0), true).put_pending(row(1));
        store.apply(batch).await.unwrap();
        assert_eq!(cache.remove_room(&RoomId::new("!r").unwrap()).await.unwrap(), 300_000);
        assert_eq!(whole(&store).await, ["m0", "m1", "m2", "m3"]);
    })
    .await;
}
