//! Content that can never be sent is refused where it is written, and nothing of it is stored.

use haos_backends::{Home, on_every_store};
use haos_queue::{About, Acted, EnqueueError};
use haos_store_api::*;

use crate::client::{Client, draft, options, room};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_never_be_sent_is_refused_and_leaves_nothing() {
    assert!(Json::new(r#"{"body":"#).is_err(), "what is no JSON is no content");
    on_every_store(async |home: Home| {
        let client = Client::new(home).await;
        let message = |content: &str| draft("a", "m.room.message", content);

        for lone in [r#"{"body":"\ud83d"}"#, r#"{"body":"\ude00 x"}"#, r#"{"l":["\ud83d\ud83d\ude00"]}"#] {
            let refused = client.outbox.enqueue(message(lone)).await;
            assert!(matches!(refused, Err(EnqueueError::Unsendable(_))), "{lone}: {refused:?}");
        }

        let limit = options().max_content_bytes;
        let large = format!(r#"{{"body":"{}"}}"#, "x".repeat(limit));
        let refused = client.outbox.enqueue(message(&large)).await;
        let bytes = large.len();
        assert!(
            matches!(refused, Err(EnqueueError::TooLarge { bytes: b, limit: l }) if b == bytes && l == limit),
            "{refused:?}"
        );

        let unknown = TxnId::new("nobody").unwrap();
        let refused = client.outbox.enqueue(message("{}").about(About::Unsent(unknown.clone()))).await;
        assert!(matches!(&refused, Err(EnqueueError::UnknownParent(of)) if *of == unknown), "{refused:?}");
        // Nor may it be a message of another room.
        let elsewhere = client.text("b", "elsewhere").await;
        let about = message("{}").about(About::Unsent(elsewhere.txn_id.clone()));
        let refused = client.outbox.enqueue(about).await;
        assert!(matches!(refused, Err(EnqueueError::UnknownParent(_))), "{refused:?}");
        client.outbox.cancel(&elsewhere.txn_id).await.unwrap();

        let staged = client.outbox.stage(&room("a"), None, vec![1]).await.unwrap();
        let mut batch = WriteBatch::strict();
        batch.remove_media(staged.key().clone());
        client.store.apply(batch).await.unwrap();
        let refused = client.outbox.enqueue(message("{}").upload(staged)).await;
        assert!(matches!(refused, Err(EnqueueError::MissingMedia)), "{refused:?}");

        assert_eq!(client.outbox.rows(None).await.unwrap(), []);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_that_can_never_be_sent_leaves_the_message_as_it_was() {
    on_every_store(async |home: Home| {
        let client = Client::new(home).await;
        let hello = client.text("a", "hello").await;
        let before = client.row(&hello.txn_id).await;
        let lone = Json::new(r#"{"body":"\ud83d"}"#).unwrap();
        let refused = client.outbox.edit(&hello.txn_id, lone).await;
        assert!(matches!(refused, Err(EnqueueError::Unsendable(_))), "{refused:?}");
        assert_eq!(client.row(&hello.txn_id).await, before);
        let pair = Json::new(r#"{"body":"\ud83d\ude00"}"#).unwrap();
        let acted = client.outbox.edit(&hello.txn_id, pair).await.unwrap();
        assert_eq!(acted, Acted::Done { maybe_sent: false });
        client.end().await;
    })
    .await;
}
