use haos::FileInfo;
use haos::content::Content;
use haos_e2e::StoreKind;
use haos_matrix::MediaRequest;
use haos_store_api::ByteRange;
use serde_json::Value;

use crate::world::{Scene, bytes};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_file_and_its_thumbnail_reach_the_peer() {
    let Scene { own, peer, room, folder } = Scene::set("file-out", StoreKind::SealedSled).await;
    // More than is staged at once, and no multiple of a block.
    let (picture, small) = (bytes((1 << 20) + 12_345, 3), bytes(4_321, 5));
    let info = FileInfo::guess().name("harbour.png").mime("image/png").thumbnail(small.clone());
    let info = info.thumbnail_mime("image/png").caption("look at this");
    own.room(&room).send_file(picture.clone(), info).await.unwrap();
    own.until_delivered().await;
    let read = peer.until_reads(&room, "look at this").await;
    let content = &read.content;
    assert_eq!((&content["msgtype"], &content["filename"]), (&"m.image".into(), &"harbour.png".into()));
    assert_eq!(content["info"]["size"], picture.len());
    assert_eq!((&content["url"], &content["info"]["thumbnail_url"]), (&Value::Null, &Value::Null));
    let fetched = peer.fetches(&room, &read.event, folder.path()).await;
    assert!(fetched == [picture, small], "other bytes came back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn a_file_and_its_thumbnail_of_the_peer_open_by_their_uris() {
    let Scene { own, peer, room, folder } = Scene::set("file-in", StoreKind::Sqlite).await;
    let (picture, small) = (bytes(300_001, 7), bytes(999, 9));
    let paths = ["picture.png", "small.png"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], &picture).unwrap();
    std::fs::write(&paths[1], &small).unwrap();
    let sent = peer.sends_file(&room, "pier.png", (&paths[0], &paths[1])).await;
    let shown = own
        .until_has(&room, "a picture", |event| {
            event.event_id.as_str() == sent && matches!(event.post.content, Content::Image(_))
        })
        .await;
    let Content::Image(file) = &shown.post.content else { unreachable!() };
    assert_eq!((file.name.as_deref(), file.size), (Some("pier.png"), Some(picture.len() as u64)));
    assert!(file.uri.is_some() && file.thumbnail.is_some(), "{file:?}");
    // With what is stored of it, somebody else decrypts it.
    let content: Value = shown.post.raw.parse().unwrap();
    assert_eq!(content["file"]["url"].as_str(), file.uri.as_ref().map(|uri| uri.as_str()));
    assert!(peer.decrypts(&content["file"], folder.path()).await == picture);
    assert!(peer.decrypts(&content["info"]["thumbnail_file"], folder.path()).await == small);
    // And the chat by the uri, as it opens any file, whole and in parts.
    let media = own.chat.client_handle().unwrap().media().clone();
    let whole = MediaRequest::new(file.uri.clone().unwrap());
    assert!(media.get(&whole).await.unwrap().bytes == picture);
    let thumbnail = MediaRequest::new(file.thumbnail.as_ref().unwrap().uri.clone());
    assert!(media.get(&thumbnail).await.unwrap().bytes == small);
    own.proxy.offline(true).await.unwrap();
    for (start, end) in [(0, 1), (15, 17), (131_071, 131_073), (300_000, u64::MAX)] {
        let range = ByteRange { start, end };
        let part = media.get(&MediaRequest { range, ..whole.clone() }).await.unwrap();
        let place = usize::try_from(start).unwrap()..usize::try_from(end.min(300_001)).unwrap();
        assert!(part.bytes == picture[place], "{start}..{end}");
    }
}
