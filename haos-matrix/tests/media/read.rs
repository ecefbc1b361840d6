//! Stored items come from the store: any range, without a request.

use futures_util::FutureExt as _;
use haos_matrix::{MediaError, MediaRequest, Variant};
use haos_queue::local_media_uri;
use haos_store_api::*;
use proptest::prelude::*;

use crate::server::*;
use crate::stores::*;

const CHUNK: usize = 64 * 1024;
const THUMB: Variant = Variant::Thumbnail { width: 96, height: 96, crop: true };

#[tokio::test]
async fn stored_once_read_for_ever() {
    on_every_store(async |mut home| {
        let content = bytes(5 * CHUNK + 17);
        home.server.has(&uri(1), File::of(&content, 10_000));
        let store = home.open().await;
        let room = RoomId::new("!room").unwrap();
        let asked = MediaRequest { room: Some(room.clone()), ..request(1) };
        let media = home.cache(&store).get(&asked).await.unwrap();
        assert_eq!(media.bytes, content);
        assert_eq!((media.info.size, media.info.mime.as_deref()), (content.len() as u64, Some("image/png")));
        assert_eq!((media.info.rooms, media.info.pinned), (vec![room], false));
        store.close().await.unwrap();

        let store = home.open().await;
        let cache = home.cache(&store);
        assert!(cache.is_stored(&uri(1), Variant::Original).await.unwrap());
        let len = content.len() as u64;
        let chunk = CHUNK as u64;
        let ranges = [
            (0, u64::MAX),
            (0, 0),
            (0, 1),
            (chunk - 1, chunk + 1),
            (chunk, 2 * chunk),
            (chunk - 1, 3 * chunk + 1),
            (4 * chunk - 1, 4 * chunk + 1),
            (len - 1, len),
            (len - 1, len + 1),
            (len, len + 5),
            (len + 7, u64::MAX),
            (9, 3),
        ];
        for (start, end) in ranges {
            let range = ByteRange { start, end };
            let media = cache.get(&MediaRequest { range, ..request(1) }).await.unwrap();
            let within = range.within(len);
            assert_eq!(media.bytes, content[within.start as usize..within.end as usize], "{range:?}");
            assert_eq!(media.info.size, len);
        }
        assert_eq!(home.server.requests(), 1);
        assert_eq!(parts(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn sizes_around_a_portion() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        let portion = 4 * CHUNK;
        for (n, size) in
            [0, 1, portion - 1, portion, portion + 1, 2 * portion, 2 * portion + 1].into_iter().enumerate()
        {
            for (m, chunk) in [CHUNK + 1, 10 * portion].into_iter().enumerate() {
                let at = 10 * n + m;
                let content = bytes(size);
                home.server.has(&uri(at), File::of(&content, chunk).announced(None));
                assert_eq!(cache.get(&request(at)).await.unwrap().bytes, content, "{size} in {chunk}");
            }
        }
        assert_eq!(parts(&store).await, 0);
    })
    .await;
}

#[tokio::test]
async fn each_variant_is_its_own_item() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        home.server.has(&uri(1), File::of(&bytes(5000), 5000));
        home.server.answer(
            &uri(1),
            THUMB,
            vec![Ok(File::of(&bytes(50), 50)), Err(haos_queue::Answer::Unsent)],
        );
        assert_eq!(cache.get(&request(1)).await.unwrap().info.size, 5000);
        let thumb = MediaRequest { variant: THUMB, ..request(1) };
        assert_eq!(cache.get(&thumb).await.unwrap().info.size, 50);
        assert_eq!(cache.get(&thumb).await.unwrap().info.key.format.as_str(), "thumb-96x96-crop");
        assert_eq!(home.server.requests(), 2);

        let other = Variant::Thumbnail { width: 32, height: 32, crop: true };
        let other = MediaRequest { variant: other, ..request(1) };
        assert!(matches!(cache.get(&other).await, Err(MediaError::Offline { .. })));
        let fallback = MediaRequest { fallback_to_original: true, ..other };
        assert_eq!(cache.get(&fallback).await.unwrap().info.size, 5000);
        let unknown = MediaRequest { uri: uri(2), ..fallback };
        assert!(matches!(cache.get(&unknown).await, Err(MediaError::Offline { .. })));
    })
    .await;
}

#[tokio::test]
async fn what_waits_in_the_outbox_needs_no_server() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        let uri = local_media_uri(&TxnId::new("t1").unwrap()).unwrap();
        let asked = MediaRequest::new(uri.clone());
        assert!(matches!(cache.get(&asked).await, Err(MediaError::NotStored)));
        assert!(matches!(cache.stream(&uri, Variant::Original).await, Err(MediaError::NotStored)));
        let info = MediaInfo {
            key: asked.key().unwrap(),
            size: 0,
            mime: None,
            rooms: Vec::new(),
            last_access_ms: 0,
            fetched_at_ms: 0,
            pinned: true,
        };
        let mut batch = WriteBatch::strict();
        batch.put_media(info, bytes(900));
        store.apply(batch).await.unwrap();
        assert_eq!(cache.get(&asked).await.unwrap().bytes, bytes(900));
        let thumb = MediaRequest { variant: THUMB, ..asked };
        assert_eq!(cache.get(&thumb).await.unwrap().bytes, bytes(900), "there is no other form of it yet");
        let odd = MediaRequest::new(MediaUri::new("https://example.org/x").unwrap());
        assert!(matches!(cache.get(&odd).await, Err(MediaError::InvalidUri)));
        assert_eq!(home.server.requests(), 0);
    })
    .await;
}

#[tokio::test]
async fn uses_are_noted_a_minute_apart() {
    on_every_store(async |mut home| {
        let store = home.open().await;
        let cache = home.cache(&store);
        for n in 0..20 {
            home.server.has(&uri(n), File::of(&bytes(10), 10));
            cache.get(&request(n)).await.unwrap();
        }
        home.clock.pass(5 * MINUTE_MS);
        let mut changes = store.changes();
        for _ in 0..3 {
            for n in 0..20 {
                cache.get(&request(n)).await.unwrap();
            }
        }
        let mut commits = 0;
        while changes.next().now_or_never().is_some() {
            commits += 1;
        }
        assert_eq!(commits, 1, "sixty reads");
        cache.flush().await.unwrap();
        let times: Vec<i64> = index(&store).await.iter().map(|info| info.last_access_ms).collect();
        assert_eq!(times, [1_700_000_000_000 + 5 * MINUTE_MS; 20]);
    })
    .await;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_range_of_any_item(
        size in 0..700_000_usize, chunk in 1000..400_000_usize, announced: bool,
        ranges in prop::collection::vec((0..800_000_u64, 0..800_000_u64), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut home = Home::new(Backend::Memory, false);
            let store = home.open().await;
            let content = bytes(size);
            let item = File::of(&content, chunk);
            let size = item.size.filter(|_| announced);
            home.server.has(&uri(1), item.announced(size));
            let cache = home.cache(&store);
            for (start, end) in ranges {
                let range = ByteRange { start, end };
                let media = cache.get(&MediaRequest { range, ..request(1) }).await.unwrap();
                let expected: Vec<u8> =
                    content.iter().copied().skip(start as usize).take(end.saturating_sub(start) as usize).collect();
                assert_eq!(media.bytes, expected);
            }
            assert_eq!(home.server.requests(), 1);
        });
    }
}
