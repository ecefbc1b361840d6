//! Files in encrypted rooms.

use std::io::{Cursor, Read as _};

use futures_util::StreamExt as _;
use haos_matrix::{MediaError, MediaRequest, Server as _, Variant, compose};
use haos_store_api::{ByteRange, Json, MediaUri, Message};
use haos_stub::town::Town;
use matrix_sdk_crypto::{AttachmentDecryptor, MediaEncryptionInfo};

use super::world::{Person, ROOM, room, two, until};

/// The bytes that a content's file names, read with what it says by the library that others use.
async fn opened(reader: &Person, file: &Json) -> Vec<u8> {
    let mut chunks = reader.client.homeserver().download(&uri(file), Variant::Original).await.unwrap().chunks;
    let mut sealed = Vec::new();
    while let Some(chunk) = chunks.next().await {
        sealed.extend(chunk.unwrap());
    }
    let info: MediaEncryptionInfo = serde_json::from_str(file.as_str()).unwrap();
    let (mut sealed, mut bytes) = (Cursor::new(sealed), Vec::new());
    AttachmentDecryptor::new(&mut sealed, info).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

fn uri(file: &Json) -> MediaUri {
    MediaUri::new(file.text("url").unwrap()).unwrap()
}

fn picture() -> Vec<u8> {
    b"a picture of the sea ".repeat(50_000)
}

const SMALL: &[u8] = b"a small sea";

/// Somebody sends a picture with a thumbnail: the uris by which it is known until it is sent.
async fn sends_picture(ada: &Person) -> [MediaUri; 2] {
    let picture = picture();
    let (outbox, encryption) = (ada.client.outbox(), ada.client.encryption().unwrap());
    until("the room is known", async || outbox.is_encrypted(&room()).await.unwrap()).await;
    let key = || encryption.seal_file().unwrap();
    let (head, rest) = picture.split_at(33_333);
    let mut file = outbox.stage_sealed(&room(), key(), head.to_vec()).await.unwrap();
    outbox.stage_more(&mut file, rest.to_vec()).await.unwrap();
    let thumbnail = outbox.stage_sealed(&room(), key(), SMALL.to_vec()).await.unwrap();
    let info = compose::FileInfo {
        name: "sea.png".to_owned(),
        mime: Some("image/png".to_owned()),
        thumbnail_mime: Some("image/webp".to_owned()),
        ..compose::FileInfo::default()
    };
    let uris = [file.key().uri.clone(), thumbnail.key().uri.clone()];
    outbox.enqueue(compose::file(&room(), &info, file, Some(thumbnail)).unwrap()).await.unwrap();
    uris
}

/// The message with the picture, as somebody has it, and what it says of the picture and its thumbnail.
async fn of_picture(reader: &Person) -> (Message, [Json; 2]) {
    until("the picture is there", async || reader.reads().await == ["sea.png"]).await;
    let messages = reader.messages().await.into_iter();
    let message = messages.into_iter().find(|message| message.content.text("body").is_some()).unwrap();
    let thumbnail = message.content.member("info").unwrap().member("thumbnail_file").unwrap();
    let file = message.content.member("file").unwrap();
    (message, [file, thumbnail])
}

async fn media(reader: &Person, request: &MediaRequest) -> Result<(Vec<u8>, Option<String>), MediaError> {
    let media = reader.client.media().get(request).await?;
    Ok((media.bytes, media.info.mime))
}

/// All that a stream gives.
async fn streamed(reader: &Person, uri: &MediaUri) -> Result<Vec<u8>, MediaError> {
    let mut stream = reader.client.media().stream(uri, Variant::Original).await?;
    let mut bytes = Vec::new();
    while let Some(part) = stream.next().await? {
        bytes.extend(part);
    }
    Ok(bytes)
}

#[tokio::test]
async fn a_picture_with_its_thumbnail() {
    let (town, ada, bob) = two().await;
    sends_picture(&ada).await;
    let (_, [file, thumbnail]) = of_picture(&bob).await;
    assert_eq!(opened(&bob, &file).await, picture());
    assert_eq!(opened(&bob, &thumbnail).await, SMALL);
    for body in town.bodies("") {
        let holds = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds("picture of the sea") && !holds("small sea") && !holds("sea.png"));
    }
}

/// By its uri, as any file: the event has the key.
#[tokio::test]
async fn whoever_has_the_event_opens_the_file() {
    let (_town, ada, bob) = two().await;
    sends_picture(&ada).await;
    let (message, [file, thumbnail]) = of_picture(&bob).await;
    let (file, thumbnail) = (MediaRequest::new(uri(&file)), MediaRequest::new(uri(&thumbnail)));
    // Past the cache, then into it and out of it.
    assert_eq!(streamed(&bob, &file.uri).await.unwrap(), picture());
    assert_eq!(media(&bob, &file).await.unwrap(), (picture(), Some("image/png".to_owned())));
    assert_eq!(streamed(&bob, &file.uri).await.unwrap(), picture());
    assert_eq!(media(&bob, &thumbnail).await.unwrap(), (SMALL.to_vec(), Some("image/webp".to_owned())));
    for range in [(0, 10), (15, 17), (7, 600_001), (1_049_990, 2_000_000), (3_000_000, 3_000_001)] {
        let range = ByteRange { start: range.0, end: range.1 };
        let cut = |at: u64| (at as usize).min(picture().len());
        let expected = picture()[cut(range.start)..cut(range.end)].to_vec();
        assert_eq!(media(&bob, &MediaRequest { range, ..file.clone() }).await.unwrap().0, expected);
    }
    // No server makes a thumbnail of it.
    let variant = Variant::Thumbnail { width: 10, height: 10, crop: false };
    assert_eq!(media(&bob, &MediaRequest { variant, ..file.clone() }).await.unwrap().0, picture());
    // What the store has is what the server has.
    let stored = bob.client.store().media(&file.key().unwrap(), ByteRange::ALL).await.unwrap().unwrap();
    assert!(!stored.bytes.windows(10).any(|part| part == b"of the sea"));

    // Whoever sent it reads it, too, and nobody once the event is gone.
    ada.until_sent().await;
    assert_eq!(media(&ada, &file).await.unwrap().0, picture());
    let about = haos_queue::About::Event(message.id.clone());
    ada.client.outbox().enqueue(compose::redaction(&room(), &about, None).unwrap()).await.unwrap();
    until("it is taken back", async || {
        bob.messages().await.iter().all(|message| message.content.text("body").is_none())
    })
    .await;
    assert_ne!(media(&bob, &file).await.unwrap().0, picture());
}

#[tokio::test]
async fn a_file_is_shown_before_it_is_sent() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let ada = Person::new(&town, "ada").await;
    town.refuse("/upload", usize::MAX, 503, "M_UNKNOWN");
    let [file, thumbnail] = sends_picture(&ada).await;
    assert_eq!(media(&ada, &MediaRequest::new(file.clone())).await.unwrap().0, picture());
    assert_eq!(streamed(&ada, &file).await.unwrap(), picture());
    assert_eq!(media(&ada, &MediaRequest::new(thumbnail)).await.unwrap().0, SMALL);
}

#[tokio::test]
async fn bytes_that_were_changed_are_not_given() {
    let (town, ada, bob) = two().await;
    sends_picture(&ada).await;
    let (_, [file, _]) = of_picture(&bob).await;
    let request = MediaRequest::new(uri(&file));
    let flip = || town.change_media(&request.uri, |bytes| bytes[700_000] ^= 1);
    flip();
    assert!(matches!(media(&bob, &request).await, Err(MediaError::Altered)));
    assert!(matches!(streamed(&bob, &request.uri).await, Err(MediaError::Altered)));
    // Nothing of it was kept.
    flip();
    assert_eq!(media(&bob, &request).await.unwrap().0, picture());
}
