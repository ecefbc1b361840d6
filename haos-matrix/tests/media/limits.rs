//! Items that are not whole or too large never get a name.

use haos_matrix::{MediaError, Variant};
use haos_queue::Answer;
use haos_store_api::MediaPolicy;

use crate::server::*;
use crate::stores::*;

fn small() -> MediaPolicy {
    MediaPolicy { max_item: 500_000, ..MediaPolicy::default() }
}

#[tokio::test]
async fn fewer_or_more_bytes_than_announced() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        for (n, (size, announced)) in
            [(0, 1), (99, 100), (600_000, 600_001), (600_000, 1_000_000), (101, 100), (700_000, 600_000)]
                .into_iter()
                .enumerate()
        {
            home.server.has(&uri(n), File::of(&bytes(size), 50_000).announced(Some(announced)));
            match cache.get(&request(n)).await {
                Err(MediaError::Incomplete { expected, received }) => {
                    assert_eq!(expected, announced);
                    assert!(received <= size as u64 && received != announced);
                }
                other => panic!("{size} of {announced}: {other:?}"),
            }
            let stream = cache.stream(&uri(n), Variant::Original).await.unwrap();
            assert!(matches!(drain(stream).await, Err(MediaError::Incomplete { .. })));
        }
        assert_eq!((whole(&store).await.len(), parts(&store).await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn too_large_announced_or_not() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache_of(&store, small());
        let content = bytes(500_001);
        // Announced: not a byte is asked for. Else: no more than the limit and a chunk.
        for (n, announced, most) in [(1, Some(500_001), 0), (2, None, 26), (3, Some(u64::MAX), 0)] {
            home.server.has(&uri(n), File::of(&content, 20_000).announced(announced));
            let before = home.server.chunks();
            match cache.get(&request(n)).await {
                Err(MediaError::TooLarge { size, limit: 500_000 }) => {
                    assert_eq!(size, announced.unwrap_or(500_001));
                }
                other => panic!("{announced:?}: {other:?}"),
            }
            assert!(home.server.chunks() - before <= most);
        }
        assert_eq!((whole(&store).await.len(), parts(&store).await), (0, 0));
        let stream = cache.stream(&uri(1), Variant::Original).await.unwrap();
        assert_eq!((stream.size, stream.mime.as_deref()), (Some(500_001), Some("image/png")));
        assert!(drain(stream).await.unwrap() == content);
        let stream = cache.stream(&uri(2), Variant::Original).await.unwrap();
        assert!(stream.size.is_none() && drain(stream).await.unwrap() == content);
        assert!(whole(&store).await.is_empty());

        home.server.has(&uri(4), File::of(&content[1..], 20_000));
        assert_eq!(cache.get(&request(4)).await.unwrap().info.size, 500_000, "what is kept at most");
        let requests = home.server.requests();
        let stream = cache.stream(&uri(4), Variant::Original).await.unwrap();
        assert!(drain(stream).await.unwrap() == content[1..]);
        assert_eq!(home.server.requests(), requests, "what is stored is streamed from there");
    })
    .await;
}

#[tokio::test]
async fn an_endless_item_is_given_up() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache_of(&store, small());
        let mut item = File::of(&[], 1).announced(None);
        item.chunks = vec![Ok(bytes(100_000)); 100];
        home.server.has(&uri(1), item.clone());
        assert!(matches!(cache.get(&request(1)).await, Err(MediaError::TooLarge { size: 600_000, .. })));
        assert_eq!(home.server.chunks(), 6);
        // The connection breaks on the way.
        item.chunks.truncate(4);
        item.chunks.push(Err(Answer::NoAnswer));
        home.server.has(&uri(2), item);
        let error = cache.get(&request(2)).await.unwrap_err();
        assert!(matches!(error, MediaError::Offline { .. }) && error.is_retryable());
        assert_eq!((whole(&store).await.len(), parts(&store).await), (0, 0));
    })
    .await;
}

async fn drain(mut stream: haos_matrix::MediaStream) -> Result<Vec<u8>, MediaError> {
    let mut all = Vec::new();
    while let Some(bytes) = stream.next().await? {
        assert!(!bytes.is_empty());
        all.extend(bytes);
    }
    Ok(all)
}
