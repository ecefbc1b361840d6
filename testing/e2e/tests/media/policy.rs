use std::time::Duration;

use futures_util::future::join_all;
use haos_e2e::{Device, Plain, Proxy, StoreKind, hurried};
use haos_matrix::{ClientOptions, MediaError, MediaRequest, Variant, compose};
use haos_store_api::{ByteRange, MediaKey, MediaPolicy, MediaUri, RoomId, WriteBatch};

use super::world::{PASSWORD, bytes, count_downloads, downloads, shared};

const MIB: usize = 1 << 20;
const DAY: Duration = Duration::from_secs(24 * 3600);

fn options() -> ClientOptions {
    let mut options = hurried();
    let max_idle_ms = i64::try_from(3 * DAY.as_millis()).unwrap();
    options.pressure.media = MediaPolicy { max_total: 9 * MIB as u64, max_item: 5 * MIB as u64, max_idle_ms };
    options
}

async fn upload(plain: &Plain, file: &[u8]) -> MediaUri {
    MediaUri::new(plain.upload("file.bin", file).await.unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn what_the_policy_does_not_keep_goes_and_what_is_unsent_stays() {
    let synapse = shared().await;
    let plain = Plain::register(synapse.address(), "hoarder", PASSWORD).await.unwrap();
    let room = RoomId::new(plain.create_room("Lobby", &[]).await.unwrap()).unwrap();
    let [first, second, pinned, film] =
        [bytes(4 * MIB, 1), bytes(3 * MIB, 2), bytes(MIB / 2, 3), bytes(6 * MIB, 4)];
    let uris = join_all([&first, &second, &pinned, &film].map(|file| upload(&plain, file))).await;
    join_all(StoreKind::ALL.map(async |kind| {
        let proxy = Proxy::start(synapse.address()).await.unwrap();
        count_downloads(&proxy);
        // It does not run: what is unsent stays so.
        let device = Device::login(kind, &proxy.url(), "hoarder", PASSWORD, options()).await.unwrap();
        let client = device.client();
        let media = client.media();
        let is_stored = async |uri| media.is_stored(uri, Variant::Original).await.unwrap();
        let staged = client.outbox().stage(&room, None, bytes(2 * MIB, 9)).await.unwrap();
        let local = staged.key().uri.clone();
        let draft = compose::file(&room, &compose::FileInfo::default(), staged, None).unwrap();
        client.outbox().enqueue(draft).await.unwrap();

        let get = async |n: usize| media.get(&MediaRequest::new(uris[n].clone())).await;
        get(2).await.unwrap();
        let mut pin = WriteBatch::relaxed();
        pin.pin_media(MediaKey { uri: uris[2].clone(), format: Variant::Original.format().unwrap() }, true);
        client.store().apply(pin).await.unwrap();
        assert!(get(0).await.unwrap().bytes == first);
        // Later by the clock, so that the first is the one that was used least lately.
        device.advance_clock(Duration::from_secs(3600));
        assert!(get(1).await.unwrap().bytes == second);
        let kept = [is_stored(&uris[0]).await, is_stored(&uris[1]).await, is_stored(&uris[2]).await];
        assert_eq!(kept, [false, true, true], "{}: by last access, over the total", kind.name());
        assert!(is_stored(&local).await);
        // It is fetched again when it is asked for again.
        let before = downloads(&proxy);
        assert!(get(0).await.unwrap().bytes == first);
        assert_eq!(downloads(&proxy) - before, 1);

        device.advance_clock(4 * DAY);
        client.kept().check().await.unwrap();
        let kept = [is_stored(&uris[0]).await, is_stored(&uris[1]).await, is_stored(&uris[2]).await];
        assert_eq!(kept, [false, false, true], "{}: by time", kind.name());
        assert!(is_stored(&local).await, "what is unsent stays");
        let unsent = media.get(&MediaRequest::new(local.clone())).await.unwrap();
        assert!(unsent.bytes == bytes(2 * MIB, 9));

        // Larger than the cache keeps: it passes by.
        let refused = get(3).await.unwrap_err();
        let told = matches!(refused, MediaError::TooLarge { size, limit }
            if size == 6 * MIB as u64 && limit == 5 * MIB as u64);
        assert!(told && !refused.is_retryable(), "{refused}");
        let (mut stream, mut passed) = (media.stream(&uris[3], Variant::Original).await.unwrap(), Vec::new());
        while let Some(bytes) = stream.next().await.unwrap() {
            passed.extend(bytes);
        }
        assert!(passed == film, "{}", kind.name());
        assert!(!is_stored(&uris[3]).await);
        let part =
            MediaRequest { range: ByteRange { start: 0, end: 9 }, ..MediaRequest::new(uris[2].clone()) };
        assert_eq!(media.get(&part).await.unwrap().bytes, pinned[..9]);
    }))
    .await;
}
