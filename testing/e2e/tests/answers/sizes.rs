use haos_e2e::hurried;
use haos_matrix::{ClientOptions, compose};
use haos_queue::{EnqueueError, Order, OutboxOptions};
use haos_store_api::{ParkReason, PendingState};

use super::world::{Party, on_every_store, shared};

/// A size that the server refuses, and that options may let into the outbox nevertheless.
const TOO_LARGE: usize = 70_000;
const PARKED: PendingState = PendingState::Parked(ParkReason::TooLarge);

fn options(order: Order) -> ClientOptions {
    let hurried = hurried();
    let outbox = OutboxOptions { max_content_bytes: 1 << 20, order, ..hurried.outbox };
    ClientOptions { outbox, ..hurried }
}

#[tokio::test]
#[ignore = "needs Synapse: cargo xtask e2e"]
async fn what_is_too_large_is_refused_here_or_parks_there() {
    let synapse = shared().await;
    on_every_store(async |kind| {
        let mut party = Party::new(synapse, kind, "sizes").await;
        let room = party.room("Lobby").await;
        let large = "x".repeat(TOO_LARGE);
        let draft = compose::text(&room, &large).unwrap();
        let refused = party.device.client().outbox().enqueue(draft).await;
        let limit = OutboxOptions::default().max_content_bytes;
        assert!(
            matches!(refused, Err(EnqueueError::TooLarge { bytes, limit: at }) if bytes > TOO_LARGE && at == limit)
        );
        assert_eq!(party.device.rows().await.unwrap(), []);

        // In strict order those behind it wait until the user takes it back.
        party.device.reopen_with(options(Order::Strict)).await.unwrap();
        party.device.start();
        party.write(&room, "one").await;
        let refused = party.write(&room, &large).await;
        party.write(&room, "two").await;
        let held = async || {
            let rows = party.device.rows().await.unwrap();
            rows.len() == 2 && rows[0].state == PARKED && rows[1].state == PendingState::Queued
        };
        party.device.until("the large one holds the other up", held).await.unwrap();
        let outbox = party.device.client().outbox();
        let blockers = outbox.blockers(&room).await.unwrap();
        assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&refused.txn_id]);
        outbox.cancel(&refused.txn_id).await.unwrap();
        party.device.until_delivered().await.unwrap();

        party.device.reopen_with(options(Order::SkipParked)).await.unwrap();
        party.device.start();
        let refused = party.write(&room, &large).await;
        party.write(&room, "three").await;
        let overtaken = async || {
            let rows = party.device.rows().await.unwrap();
            rows.len() == 1 && rows[0].txn_id == refused.txn_id && rows[0].state == PARKED
        };
        party.device.until("the large one is overtaken", overtaken).await.unwrap();
        assert_eq!(party.texts(&room).await, ["one", "two", "three"], "{}", party.user);
        party.device.stop().await.unwrap();
    })
    .await;
}
