//! Rows that came from another store, and a driver.

use haos_backends::{Home, on_every_store};
use haos_queue::{Clocks, hold_back, take_over};
use haos_store_api::*;

use crate::client::{Client, room};

/// What was held back is sent when the user says so, and by nothing else; what follows it is sent, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_back_is_sent_when_the_user_says_so() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let (txn_id, kind) = (TxnId::new("theirs").unwrap(), EventType::new("m.room.message").unwrap());
        let content = Json::new(r#"{"body":"theirs"}"#).unwrap();
        let theirs = Pending::new(txn_id.clone(), room("a"), kind, content, 0);
        let mut batch = WriteBatch::strict();
        batch.put_pending(hold_back(&take_over(&theirs, Clocks::default())));
        client.store.apply(batch).await.unwrap();
        let own = client.text("b", "own").await;
        client.drive();
        client.reaches(&own, PendingState::Sent).await;
        assert_eq!(client.outbox.retry_all().await.unwrap(), 0, "the other store may have sent it");
        client.all_sent().await;
        let held = client.row(&txn_id).await.unwrap();
        assert_eq!(held.state, PendingState::Parked(ParkReason::Restored));
        assert_eq!(client.wire.bodies(&room("a")), [""; 0]);

        client.outbox.retry(&txn_id).await.unwrap();
        client.until("it is sent", |rows| rows.iter().all(|row| row.state == PendingState::Sent)).await;
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["theirs"]);
        client.end().await;
    })
    .await;
}
