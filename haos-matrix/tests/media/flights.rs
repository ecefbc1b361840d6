//! One request for all who wait; who leaves takes nothing along.

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use haos_matrix::{MediaError, MediaRequest, Variant};
use haos_queue::{Answer, Refusal};
use haos_store_api::{RoomId, WriteBatch};

use crate::server::*;
use crate::stores::*;

#[tokio::test]
async fn sixteen_ask_and_one_request_is_made() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        let content = bytes(700_000);
        home.server.has(&uri(1), File::of(&content, 10_000));
        let asks = (0..16).map(|n| {
            let room = RoomId::new(format!("!r{}", n % 2)).unwrap();
            let (cache, asked) = (cache.clone(), MediaRequest { room: Some(room), ..request(1) });
            async move { cache.get(&asked).await }
        });
        for media in join_all(asks).await {
            let media = media.unwrap();
            assert!(media.bytes == content);
            assert_eq!(media.info.rooms.len(), 2, "the rooms of all who wait");
        }
        assert_eq!(home.server.requests(), 1);
        assert_eq!((whole(&store).await.len(), parts(&store).await), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn several_threads_share_one_too() {
    let mut home = Home::new(Backend::Sqlite, false);
    let store = home.open().await;
    let cache = home.cache(&store);
    home.server.has(&uri(1), File::of(&bytes(700_000), 20_000));
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    let asked = request(1);
                    for media in join_all((0..4).map(|_| cache.get(&asked))).await {
                        assert_eq!(media.unwrap().info.size, 700_000);
                    }
                });
            });
        }
    });
    assert_eq!(home.server.requests(), 1);
}

#[tokio::test]
async fn the_first_to_ask_may_leave() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        home.server.has(&uri(1), File::of(&bytes(600_000), 30_000));
        let asked = request(1);
        let mut first = Box::pin(cache.get(&asked));
        // It has begun, and drives what it shares with the second.
        while home.server.chunks() < 12 {
            assert!(first.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        let mut second = Box::pin(cache.get(&asked));
        while second.as_mut().now_or_never().is_none() && home.server.chunks() < 15 {
            tokio::task::yield_now().await;
        }
        drop(first);
        assert_eq!(second.await.unwrap().info.size, 600_000);
        assert_eq!(home.server.requests(), 1);
    })
    .await;
}

#[tokio::test]
async fn all_leave_and_nothing_stays() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        home.server.has(&uri(1), File::of(&bytes(600_000), 30_000));
        let asked = request(1);
        let mut first = Box::pin(cache.get(&asked));
        while parts(&store).await == 0 {
            assert!(first.as_mut().now_or_never().is_none());
        }
        drop(first);
        assert_eq!(cache.get(&asked).await.unwrap().info.size, 600_000);
        assert_eq!(
            (home.server.requests(), parts(&store).await),
            (2, 0),
            "once more, and the old part is gone"
        );
    })
    .await;
}

#[tokio::test]
async fn a_failure_is_everybodys_and_nobodys_later() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        let mut broken = File::of(&bytes(600_000), 20_000);
        broken.chunks[29] = Err(Answer::NoAnswer);
        let gateway = Refusal { status: 502, ..Refusal::default() };
        let answers = vec![
            Ok(broken.announced(None)),
            Err(Answer::Refused(gateway)),
            Ok(File::of(&bytes(300_000), 40_000)),
        ];
        home.server.answer(&uri(1), Variant::Original, answers);
        let asked = request(1);
        let all = join_all((0..5).map(|_| cache.get(&asked))).await;
        for answer in all {
            assert!(matches!(answer, Err(MediaError::Offline { .. })), "{answer:?}");
        }
        assert_eq!((home.server.requests(), parts(&store).await), (1, 0));
        // Not remembered: each asks the server again.
        let refused = cache.get(&asked).await;
        assert!(matches!(refused, Err(MediaError::Unavailable { .. })), "{refused:?}");
        assert_eq!(cache.get(&asked).await.unwrap().info.size, 300_000);
        assert_eq!(home.server.requests(), 3);
    })
    .await;
}

#[tokio::test]
async fn two_contexts_store_one_item() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let (one, two) = (home.cache(&store), home.cache(&store));
        for (n, size) in [100, 900_000].into_iter().enumerate() {
            home.server.has(&uri(n), File::of(&bytes(size), 70_000));
            let asked = request(n);
            let (first, second) = join(one.get(&asked), two.get(&asked)).await;
            assert_eq!((first.unwrap().bytes, second.unwrap().bytes), (bytes(size), bytes(size)));
        }
        assert_eq!((whole(&store).await.len(), parts(&store).await), (2, 0));

        // The one is done, and its item is pinned, while the other is still at it.
        home.server.has(&uri(9), File::of(&bytes(900_000), 50_000));
        let asked = request(9);
        let mut slow = Box::pin(one.get(&asked));
        while parts(&store).await == 0 {
            assert!(slow.as_mut().now_or_never().is_none());
        }
        two.get(&asked).await.unwrap();
        let mut batch = WriteBatch::relaxed();
        batch.pin_media(key(9), true);
        store.apply(batch).await.unwrap();
        assert!(slow.await.unwrap().info.pinned, "the faster one's stays");
        assert_eq!(parts(&store).await, 0);
    })
    .await;
}
