use futures_util::stream;
use haos::{Chat, Error, FileInfo, FileSource, Upload};
use haos_store_api::{MediaQuery, PendingQuery};
use serde_json::{Value, json};

use crate::world::{World, connected, lobby, logged_in, sent, soon, until};
use haos_stub::server::Server;

/// A PNG's beginning, which says 1000x800.
fn png() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x03\xe8\0\0\x03\x20\x08\x06\0\0\0".to_vec();
    bytes.resize(5000, 7);
    bytes
}

async fn offline() -> Chat {
    Chat::open("memory:").offline().await.unwrap()
}

/// The content of the message of a file.
async fn content(chat: &Chat, upload: &Upload) -> Value {
    let query = PendingQuery { txn_id: Some(upload.txn_id().clone()), ..PendingQuery::default() };
    chat.store().pending(query).await.unwrap()[0].content.parse().unwrap()
}

async fn media(chat: &Chat) -> Vec<u64> {
    chat.store().media_index(MediaQuery::default()).await.unwrap().iter().map(|info| info.size).collect()
}

#[tokio::test]
async fn a_file_is_uploaded_and_sent_with_what_is_known_of_it() {
    let (world, server) = (World::new(), Server::start(1));
    let path = world.path("Picture.JPG");
    std::fs::write(&path, png()).unwrap();
    let chat = logged_in(&server).await;
    connected(&chat).await;
    let upload = chat.room(&lobby()).send_file(path, FileInfo::guess().caption("look")).await.unwrap();
    let done = until(upload.progress(), |now| now.sent_bytes == now.total_bytes).await;
    assert_eq!(done.total_bytes, 5000);
    sent(&chat).await;
    soon("the message", || server.own().len() == 1).await;
    let content = server.own()[0]["content"].clone();
    assert_eq!((&content["msgtype"], &content["body"]), (&json!("m.image"), &json!("look")));
    assert_eq!((&content["filename"], &content["url"]), (&json!("Picture.JPG"), &json!("mxc://x/1")));
    let info = json!({"mimetype": "image/png", "size": 5000, "w": 1000, "h": 800});
    assert_eq!(content["info"], info, "its bytes count for more than its name");
}

#[tokio::test]
async fn bytes_and_streams_are_files_as_well() {
    let chat = offline().await;
    let room = chat.room(&lobby());
    let upload = room.send_file(png(), FileInfo::guess().size(10, 8)).await.unwrap();
    let of_bytes = content(&chat, &upload).await;
    assert_eq!((&of_bytes["body"], &of_bytes["info"]["w"]), (&json!("file.png"), &json!(10)));
    // In chunks of a size that no portion has.
    let chunks = (0..25).map(|n| Ok(vec![n; 100_001]));
    let info = FileInfo::guess().name("clip.mp4").duration_ms(1500).thumbnail(png());
    let upload = room.send_file(FileSource::stream(stream::iter(chunks)), info).await.unwrap();
    let of_stream = content(&chat, &upload).await;
    assert_eq!(of_stream["msgtype"], "m.video");
    let thumbnail = json!({"mimetype": "image/png", "size": 5000, "w": 1000, "h": 800});
    let info = &of_stream["info"];
    assert_eq!(
        (&info["size"], &info["duration"], &info["thumbnail_info"]),
        (&json!(2_500_025), &json!(1500), &thumbnail)
    );
    assert_eq!(upload.progress().now().await.unwrap().total_bytes, 2_505_025);
    assert_eq!(chat.outbox().now().await.unwrap().len(), 2, "uploads are not listed by themselves");
    let empty = room.send_file(Vec::new(), FileInfo::guess().mime("text/plain")).await.unwrap();
    assert_eq!(content(&chat, &empty).await["body"], "file.txt");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_and_leaves_nothing() {
    let (world, chat) = (World::new(), offline().await);
    let room = chat.room(&lobby());
    for path in [world.path("absent"), world.path(".")] {
        let error = room.send_file(path, FileInfo::guess()).await.unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error}");
    }
    let error = room.send_file(vec![1], FileInfo::guess().name(" ")).await.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error}");
    let chunks = vec![Ok(vec![1; 3 << 20]), Err(std::io::Error::other("the camera was unplugged"))];
    let error =
        room.send_file(FileSource::stream(stream::iter(chunks)), FileInfo::guess()).await.unwrap_err();
    assert!(error.to_string().contains("unplugged"), "{error}");
    assert!(media(&chat).await.is_empty() && chat.outbox().now().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_upload_is_paused_taken_up_and_cancelled() {
    let chat = offline().await;
    let upload = chat.room(&lobby()).send_file(png(), FileInfo::guess()).await.unwrap();
    let status = |now: &haos::UploadProgress| serde_json::to_value(now).unwrap()["status"].clone();
    assert_eq!(status(&upload.progress().now().await.unwrap()), "waiting");
    upload.pause().await.unwrap();
    let paused = upload.progress().now().await.unwrap();
    assert_eq!((status(&paused), paused.sent_bytes), (json!("parked"), 0));
    let listed = chat.outbox().now().await.unwrap();
    assert_eq!(serde_json::to_value(&listed[0]).unwrap()["reason"], "paused");
    let again = chat.upload(upload.txn_id()).await.unwrap();
    assert_eq!(again.progress().now().await.unwrap(), paused, "as after a restart");
    again.retry().await.unwrap();
    assert_eq!(status(&upload.progress().now().await.unwrap()), "waiting");
    upload.cancel().await.unwrap();
    assert!(chat.outbox().now().await.unwrap().is_empty());
    assert!(matches!(chat.upload(upload.txn_id()).await, Err(Error::NotFound { .. })));
}
