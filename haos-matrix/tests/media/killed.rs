//! A process that ends while it downloads: what it began is never taken for the item, and goes.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use haos_matrix::{MediaError, Variant};

use crate::server::*;
use crate::stores::*;

const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Polls `future` at most `polls` times, each time when it asks for it, and drops it.
async fn at_most<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn killed_at_every_step() {
    on_every_store(async |mut home| {
        let content = bytes(800_000);
        let item = File::of(&content, 200_000);
        home.server.has(&uri(1), item);
        let mut left_parts = 0;
        for polls in 1.. {
            let store = home.open().await;
            let ended = at_most(home.cache(&store).get(&request(1)), polls).await;
            // A process of its own sees what the dead one left; its litter list died with it.
            store.close().await.unwrap();
            let store = home.open().await;
            let cache = home.cache(&store);
            match ended {
                Some(media) => {
                    assert!(media.unwrap().bytes == content);
                    break;
                }
                None if whole(&store).await.is_empty() => {
                    assert!(!cache.is_stored(&uri(1), Variant::Original).await.unwrap());
                    left_parts += parts(&store).await;
                    // Too young to be abandoned: another process may be at it.
                    assert_eq!(cache.sweep().await.unwrap(), 0);
                    home.clock.pass(HOUR_MS + 1);
                    cache.sweep().await.unwrap();
                    assert_eq!(parts(&store).await, 0);
                }
                // The last commit was made, and the answer was not heard.
                None => {
                    assert!(cache.get(&request(1)).await.unwrap().bytes == content);
                    let mut batch = haos_store_api::WriteBatch::relaxed();
                    batch.remove_media(key(1));
                    store.apply(batch).await.unwrap();
                    home.clock.pass(HOUR_MS + 1);
                    cache.sweep().await.unwrap();
                }
            }
            store.close().await.unwrap();
            assert!(polls < 500, "it ends at last");
        }
        assert!(left_parts > 0, "some died in the middle");
    })
    .await;
}

#[tokio::test]
async fn the_first_download_sweeps() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        home.server.has(&uri(1), File::of(&bytes(800_000), 50_000));
        {
            let (dead, asked) = (home.cache(&store), request(1));
            let mut get = pin!(dead.get(&asked));
            while parts(&store).await == 0 {
                assert!(at_most(get.as_mut(), 1).await.is_none());
            }
        }
        home.clock.pass(HOUR_MS + 1);
        home.server.has(&uri(2), File::of(&bytes(10), 10));
        home.cache(&store).get(&request(2)).await.unwrap();
        assert_eq!((whole(&store).await, parts(&store).await), (vec!["m2".to_owned()], 0));
    })
    .await;
}

#[tokio::test]
async fn a_part_that_is_cleared_on_the_way_is_no_item() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let (cache, asked) = (home.cache(&store), request(1));
        home.server.has(&uri(1), File::of(&bytes(800_000), 50_000));
        let mut get = Box::pin(cache.get(&asked));
        while parts(&store).await == 0 {
            assert!(at_most(get.as_mut(), 1).await.is_none());
        }
        haos_queue::pressure::clear(&*store, haos_queue::pressure::Clear::Media).await.unwrap();
        assert!(matches!(get.await, Err(MediaError::Full)));
        assert_eq!((whole(&store).await.len(), parts(&store).await), (0, 0));
        assert_eq!(cache.get(&asked).await.unwrap().info.size, 800_000);
    })
    .await;
}
