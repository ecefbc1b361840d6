//! Each message arrives once, and a room's messages in order, whoever sends and whatever fails.

use haos_backends::{Home, on_every_store};
use haos_queue::{Driver, Lead, OutboxOptions};
use haos_store_api::*;

use crate::client::{Client, options, outbox, room};
use crate::wire::{Fault, Hold};

fn bodies(name: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{name}{n}")).collect()
}

async fn write(client: &Client, count: usize) {
    for n in 0..count {
        for name in ["a", "b", "c"] {
            client.text(name, &format!("{name}{n}")).await;
        }
    }
}

fn assert_in_order(client: &Client, count: usize) {
    for name in ["a", "b", "c"] {
        assert_eq!(client.wire.bodies(&room(name)), bodies(name, count));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_to_several_rooms_arrive_once_and_in_order() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let faults = [Fault::None, Fault::AnswerLost, Fault::Lost, Fault::None, Fault::Unsent];
        client.wire.next(faults.into_iter().cycle().take(25));
        write(&client, 4).await;
        client.drive();
        for n in 4..8 {
            for name in ["a", "b", "c"] {
                client.text(name, &format!("{name}{n}")).await;
            }
        }
        client.settle().await;
        assert_in_order(&client, 8);
        client.end().await;
    })
    .await;
}

/// Two tabs, two processes: both send. The store's leases keep them apart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_drivers_over_one_store_send_each_message_once() {
    on_every_store(async |home: Home| {
        let options = OutboxOptions { lease_ms: 30_000, ..options() };
        let client = Client::with(home, options.clone()).await;
        let contexts = [outbox(&client.store, options.clone()), outbox(&client.store, options)];
        let driving: Vec<_> = contexts
            .iter()
            .map(|context| {
                let driver = Driver::new(context.clone(), client.wire.clone(), client.wire.session.clone());
                tokio::spawn(driver.run(Lead::Shared))
            })
            .collect();
        client.wire.next([Fault::AnswerLost, Fault::None, Fault::Lost].into_iter().cycle().take(12));
        write(&client, 8).await;
        client.settle().await;
        assert_in_order(&client, 8);
        for (context, driving) in contexts.iter().zip(driving) {
            context.stop(5000);
            driving.await.unwrap().unwrap();
        }
        client.end().await;
    })
    .await;
}

/// Stuck "sending" after a crash: elsewhere for ever, here not for a moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_being_sent_when_the_process_died_is_taken_up_at_once() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        for hold in [Hold::Before, Hold::After] {
            client.wire.hold(hold);
            let sent = client.wire.times("send").len();
            let n = client.wire.bodies(&room("a")).len();
            for name in ["a", "b"] {
                client.text(name, &format!("{name}{n}")).await;
                client.text(name, &format!("{name}{}", n + 1)).await;
            }
            if n == 0 {
                client.drive();
            }
            client.wire.begun("send", sent + 2).await;
            client.crash().await;
            let rows = client.outbox.rows(None).await.unwrap();
            let states: Vec<_> = rows.iter().map(|row| row.state).collect();
            let (sending, queued) = (PendingState::Sending, PendingState::Queued);
            assert_eq!(states, [sending, queued, sending, queued]);
            client.wire.hold(Hold::Nowhere);
            client.drive();
            client.settle().await;
        }
        for name in ["a", "b"] {
            assert_eq!(client.wire.bodies(&room(name)), bodies(name, 4));
        }
        client.end().await;
    })
    .await;
}
