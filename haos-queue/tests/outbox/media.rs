//! Files: bytes first, then the message that names them.

use haos_backends::{Home, on_every_store};
use haos_queue::{Draft, Enqueued, UPLOAD};
use haos_store_api::*;

use crate::client::{Client, draft, room};
use crate::wire::{Fault, Hold};

/// A file of 3,000 bytes with a thumbnail of 20.
async fn file(client: &Client) -> Enqueued {
    let thumbnail = client.outbox.stage(&room("a"), Some("image/png"), vec![1; 20]).await.unwrap();
    let mut whole = client.outbox.stage(&room("a"), Some("image/png"), vec![2; 2000]).await.unwrap();
    client.outbox.stage_more(&mut whole, vec![3; 1000]).await.unwrap();
    let content =
        format!(r#"{{"body":"cat","url":"{}","thumbnail":"{}"}}"#, whole.key().uri, thumbnail.key().uri);
    let draft = draft("a", "m.room.message", &content);
    client.outbox.enqueue([thumbnail, whole].into_iter().fold(draft, Draft::upload)).await.unwrap()
}

/// The message names what the server has, and the store knows the bytes by the same name.
async fn assert_delivered(client: &Client) {
    let events = client.wire.events(&room("a"));
    let cat = events.iter().find(|event| event.content.text("body").as_deref() == Some("cat")).unwrap();
    for (name, expected) in [("thumbnail", vec![1; 20]), ("url", [vec![2; 2000], vec![3; 1000]].concat())] {
        let uri = MediaUri::new(cat.content.text(name).unwrap()).unwrap();
        assert!(uri.as_str().starts_with("mxc://"), "{uri}");
        let there = client.wire.model(|model| model.media[&uri].clone());
        assert_eq!(there.as_ref(), Some(&expected));
        let key = MediaKey { uri, format: MediaFormat::new("").unwrap() };
        assert_eq!(client.store.media(&key, ByteRange::ALL).await.unwrap().unwrap().bytes, expected);
    }
    assert_eq!(
        client.store.media_index(MediaQuery::default()).await.unwrap().len(),
        2,
        "under one name each"
    );
    assert_eq!(client.wire.model(|model| model.media.values().flatten().count()), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_and_its_thumbnail_go_up_before_the_message_that_names_them() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.text("a", "before").await;
        file(&client).await;
        client.text("a", "after").await;
        let rows = client.outbox.rows(None).await.unwrap();
        let kinds: Vec<_> = rows.iter().map(|row| (row.kind.as_str() == UPLOAD, row.state)).collect();
        let (queued, blocked) = (PendingState::Queued, PendingState::Blocked);
        assert_eq!(kinds[1..4], [(true, queued), (true, blocked), (false, blocked)]);
        client.drive();
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["before", "cat", "after"]);
        assert_eq!(client.wire.times("upload").len(), 2);
        assert_delivered(&client).await;
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_the_server_has_are_not_sent_again_after_a_restart() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        file(&client).await;
        client.wire.hold(Hold::After);
        client.drive();
        client.wire.begun("upload", 1).await;
        let whole = |client: &Client| client.wire.model(|model| model.media.values().flatten().count());
        while whole(&client) == 0 {
            tokio::task::yield_now().await;
        }
        client.crash().await;
        let rows = client.outbox.rows(None).await.unwrap();
        assert!(rows[0].remote.is_some(), "where it goes was written down first: {:?}", rows[0]);
        client.wire.hold(Hold::Nowhere);
        client.drive();
        client.settle().await;
        assert_eq!(client.wire.times("upload").len(), 2, "the thumbnail once, the file once");
        assert_delivered(&client).await;
        client.end().await;
    })
    .await;
}

/// The place is known, the bytes did not arrive: they go there, not to another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_was_lost_goes_to_the_same_place() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        file(&client).await;
        client.wire.next([Fault::Lost, Fault::AnswerLost, Fault::Unsent, Fault::AnswerLost]);
        client.drive();
        client.settle().await;
        assert_eq!(client.wire.model(|model| model.media.len()), 2, "a place each");
        assert_delivered(&client).await;
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_bytes_are_gone_waits_for_the_user() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let cat = file(&client).await;
        let keys = client.row(&cat.txn_id).await.unwrap().media;
        let mut batch = WriteBatch::strict();
        batch.remove_media(keys[0].clone());
        client.store.apply(batch).await.unwrap();
        client.drive();
        let parked = PendingState::Parked(ParkReason::MissingMedia);
        client.until("parked", |rows| rows[0].state == parked).await;
        assert_eq!(client.state(&cat).await, Some(PendingState::Blocked));
        let other = client.text("b", "other").await;
        client.reaches(&other, PendingState::Sent).await;
        client.outbox.cancel(&cat.txn_id).await.unwrap();
        client.settle().await;
        assert_eq!(
            client.store.media_index(MediaQuery::default()).await.unwrap(),
            [],
            "nothing stays behind"
        );
        client.end().await;
    })
    .await;
}
