use haos::{Chat, Clear, ClientOptions, StorageLevel};
use haos_store_api::{ByteRange, MediaFormat, MediaInfo, MediaKey, MediaUri, WriteBatch};

use crate::world::{World, connected, lobby, logged_in, until};
use haos_stub::server::Server;

fn picture(n: u32) -> MediaKey {
    MediaKey { uri: MediaUri::new(format!("mxc://x/{n}")).unwrap(), format: MediaFormat::new("").unwrap() }
}

async fn keep(chat: &Chat, n: u32, bytes: usize) {
    let info = MediaInfo {
        key: picture(n),
        size: 0,
        mime: None,
        rooms: vec![lobby()],
        last_access_ms: n.into(),
        fetched_at_ms: 0,
        pinned: false,
    };
    let mut batch = WriteBatch::relaxed();
    batch.put_media(info, vec![7; bytes]);
    chat.store().apply(batch).await.unwrap();
}

#[tokio::test]
async fn a_store_that_fills_up_says_what_went() {
    let mut options = ClientOptions::default();
    options.pressure.quota_bytes = Some(1 << 20);
    let chat = Chat::open("memory:").options(options).offline().await.unwrap();
    let mut storage = chat.storage();
    let start = storage.next().await.unwrap().unwrap();
    assert_eq!((start.level, start.quota_bytes, start.evicted_bytes), (StorageLevel::Ok, Some(1 << 20), 0));
    for n in 0..20 {
        keep(&chat, n, 100_000).await;
    }
    let full = until(storage, |now| now.evicted_bytes > 0).await;
    assert!(full.used_bytes <= 1 << 20 && full.media_bytes > 0 && !full.is_exhausted, "{full:?}");
    assert!(serde_json::to_value(&full).unwrap()["level"].is_string());
}

#[tokio::test]
async fn each_clearing_spares_what_it_says() {
    let server = Server::start(4);
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let room = chat.room(&lobby());
    keep(&chat, 1, 1000).await;
    let cleared = chat.clear(Clear::Media).await.unwrap();
    assert_eq!((cleared.media, cleared.media_bytes, cleared.messages), (1, 1000, 0));
    assert!(chat.store().media(&picture(1), ByteRange { start: 0, end: 1 }).await.unwrap().is_none());
    room.draft().set("half a").await.unwrap();
    let cleared = chat.clear(Clear::Messages).await.unwrap();
    assert!(cleared.messages > 0, "{cleared:?}");
    assert!(room.draft().get().await.unwrap().is_some());
    connected(&chat).await;
    server.refuse_sends(true);
    room.send("unsent").await.unwrap();
    chat.clear(Clear::AllButUnsent).await.unwrap();
    assert!(room.draft().get().await.unwrap().is_none());
    assert_eq!(chat.outbox().now().await.unwrap().len(), 1);
    assert!(chat.account().unwrap().is_logged_in, "who sends them stays");
    let cleared = chat.clear(Clear::EverythingIncludingUnsent).await.unwrap();
    assert_eq!(cleared.unsent, 1);
    assert_eq!((chat.outbox().now().await.unwrap().len(), chat.account()), (0, None));
    let used = chat.storage().now().await.unwrap();
    assert_eq!(used.media_bytes, 0, "{used:?}");
    server.refuse_sends(false);
    chat.login(&server.url, crate::world::password()).await.unwrap();
    connected(&chat).await;
}

#[tokio::test]
async fn what_was_cleared_is_cleared_on_disk() {
    let world = World::new();
    let chat = Chat::open(&world.url()).offline().await.unwrap();
    chat.room(&lobby()).send("unsent").await.unwrap();
    chat.clear(Clear::EverythingIncludingUnsent).await.unwrap();
    chat.close().await.unwrap();
    let chat = Chat::open(&world.url()).offline().await.unwrap();
    assert!(chat.outbox().now().await.unwrap().is_empty());
}
