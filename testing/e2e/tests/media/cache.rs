use futures_util::future::join_all;
use haos_e2e::{Device, Plain, Proxy, StoreKind, hurried};
use haos_matrix::{MediaError, MediaRequest, Variant};
use haos_store_api::{ByteRange, MediaUri};

use super::world::{PASSWORD, bytes, count_downloads, downloads, shared};

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_download_is_kept_and_ranges_of_it_are_served() {
    let synapse = shared().await;
    let plain = Plain::register(synapse.address(), "viewer", PASSWORD).await.unwrap();
    let file = bytes(5 << 20, 11);
    let uri = MediaUri::new(plain.upload("film.bin", &file).await.unwrap()).unwrap();
    let other = MediaUri::new(plain.upload("other.bin", b"never asked for").await.unwrap()).unwrap();
    join_all(StoreKind::ALL.map(async |kind| {
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        count_downloads(&proxy);
        let mut device = Device::login(kind, &proxy.url(), "viewer", PASSWORD, hurried()).await.unwrap();
        let whole = MediaRequest::new(uri.clone());
        // Two at once are one download.
        let media = device.client().media();
        let (one, two) = tokio::join!(media.get(&whole), media.get(&whole));
        assert!(one.unwrap().bytes == file && two.unwrap().bytes == file, "{}", kind.name());
        assert_eq!(downloads(&proxy), 1, "{}", kind.name());
        assert!(media.get(&whole).await.unwrap().bytes == file);
        let size = file.len() as u64;
        let ends = [
            (0, 1),
            (0, 65_536),
            (65_535, 65_537),
            (1 << 20, 3 << 20),
            (size - 3, size),
            (size - 3, u64::MAX),
        ];
        for (start, end) in ends {
            let range = ByteRange { start, end };
            let part = media.get(&MediaRequest { range, ..whole.clone() }).await.unwrap();
            assert_eq!(part.info.size, size);
            let place = usize::try_from(start).unwrap()..usize::try_from(end.min(size)).unwrap();
            assert!(part.bytes == file[place], "{}: {start}..{end}", kind.name());
        }
        assert_eq!(downloads(&proxy), 1, "{}: only the first asked", kind.name());

        // Offline, and in another process.
        proxy.offline(true).await.unwrap();
        device.reopen().await.unwrap();
        let media = device.client().media();
        assert!(media.is_stored(&uri, Variant::Original).await.unwrap());
        assert!(media.get(&whole).await.unwrap().bytes == file, "{}", kind.name());
        let absent = media.get(&MediaRequest::new(other.clone())).await.unwrap_err();
        assert!(matches!(&absent, MediaError::Offline { .. }) && absent.is_retryable(), "{absent}");
        proxy.offline(false).await.unwrap();
        assert_eq!(media.get(&MediaRequest::new(other.clone())).await.unwrap().bytes, b"never asked for");
        let nowhere = MediaUri::new("mxc://localhost/nowhere").unwrap();
        let missing = media.get(&MediaRequest::new(nowhere)).await.unwrap_err();
        assert!(matches!(missing, MediaError::NotFound), "{missing}");
    }))
    .await;
}
