//! Files in encrypted rooms.

use std::io::{Cursor, Read as _};

use futures_util::StreamExt as _;
use haos_matrix::{Server as _, Variant, compose};
use haos_store_api::{Json, MediaUri};
use haos_stub::town::Town;
use matrix_sdk_crypto::{AttachmentDecryptor, MediaEncryptionInfo};

use super::world::{Person, ROOM, room, until};

/// The bytes that a content's file names, read with what it says.
async fn opened(reader: &Person, file: &Json) -> Vec<u8> {
    let uri = MediaUri::new(file.text("url").unwrap()).unwrap();
    let mut chunks = reader.client.homeserver().download(&uri, Variant::Original).await.unwrap().chunks;
    let mut sealed = Vec::new();
    while let Some(chunk) = chunks.next().await {
        sealed.extend(chunk.unwrap());
    }
    let info: MediaEncryptionInfo = serde_json::from_str(file.as_str()).unwrap();
    let (mut sealed, mut bytes) = (Cursor::new(sealed), Vec::new());
    AttachmentDecryptor::new(&mut sealed, info).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn a_picture_with_its_thumbnail() {
    let town = Town::start();
    town.encrypted_room(ROOM, &["ada", "bob"]);
    let (ada, bob) = (Person::new(&town, "ada").await, Person::new(&town, "bob").await);
    let picture: Vec<u8> = b"a picture of the sea ".repeat(5000);
    let small = b"a small sea".to_vec();
    let (outbox, encryption) = (ada.client.outbox(), ada.client.encryption().unwrap());
    let key = || encryption.seal_file().unwrap();
    let (head, rest) = picture.split_at(33_333);
    let mut file = outbox.stage_sealed(&room(), key(), head.to_vec()).await.unwrap();
    outbox.stage_more(&mut file, rest.to_vec()).await.unwrap();
    let thumbnail = outbox.stage_sealed(&room(), key(), small.clone()).await.unwrap();
    let info = compose::FileInfo {
        name: "sea.png".to_owned(),
        mime: Some("image/png".to_owned()),
        ..compose::FileInfo::default()
    };
    outbox.enqueue(compose::file(&room(), &info, file, Some(thumbnail)).unwrap()).await.unwrap();
    until("bob has the picture", async || bob.reads().await == ["sea.png"]).await;
    let message =
        bob.messages().await.into_iter().find(|message| message.content.text("body").is_some()).unwrap();
    let file = message.content.member("file").unwrap();
    assert_eq!(opened(&bob, &file).await, picture);
    let thumbnail = message.content.member("info").unwrap().member("thumbnail_file").unwrap();
    assert_eq!(opened(&bob, &thumbnail).await, small);
    for body in town.bodies("") {
        let holds = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!holds("picture of the sea") && !holds("small sea") && !holds("sea.png"));
    }
}
