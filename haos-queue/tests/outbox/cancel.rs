//! Taking back and changing what was written, at every moment.

use haos_backends::{Home, on_every_store};
use haos_queue::{Acted, Refusal};
use haos_store_api::*;

use crate::client::{Client, room};
use crate::wire::{Fault, Hold};

fn content(body: &str) -> Json {
    Json::new(format!(r#"{{"body":"{body}"}}"#)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_before_it_was_sent_nothing_of_it_goes_out() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let hello = client.text("a", "hello").await;
        client.about("a", &hello, "m.reaction", r#"{"to":"TARGET"}"#).await;
        let answer = client.about("a", &hello, "m.room.message", r#"{"answers":"TARGET","body":"me"}"#).await;
        let after = client.text("a", "after").await;
        let acted = client.outbox.cancel(&hello.txn_id).await.unwrap();
        assert_eq!(acted, Acted::Done { maybe_sent: false });
        let states: Vec<_> = client.outbox.rows(None).await.unwrap().iter().map(|row| row.state).collect();
        assert_eq!(states, [PendingState::Parked(ParkReason::ParentFailed), PendingState::Queued]);
        assert_eq!(client.outbox.cancel(&hello.txn_id).await.unwrap(), Acted::Gone);
        client.drive();
        // The user's messages about it stay, visibly in the way.
        let blockers = client.outbox.blockers(&room("a")).await.unwrap();
        assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&answer.txn_id]);
        client.outbox.cancel(&answer.txn_id).await.unwrap();
        client.reaches(&after, PendingState::Sent).await;
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["after"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_on_its_way_it_is_taken_back_from_the_server() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        for hold in [Hold::Before, Hold::After] {
            let sent = client.wire.times("send").len();
            client.wire.hold(hold);
            let hello = client.text("a", "hello").await;
            if sent == 0 {
                client.drive();
            }
            client.wire.begun("send", sent + 1).await;
            let acted = client.outbox.cancel(&hello.txn_id).await.unwrap();
            assert!(matches!(acted, Acted::Followed(_)), "{acted:?}");
            client.wire.hold(Hold::Nowhere);
            client.settle().await;
        }
        let events = client.wire.events(&room("a"));
        assert_eq!(events.len(), 4);
        for pair in events.chunks(2) {
            assert_eq!(pair[0].redacted_by.as_ref(), Some(&pair[1].id));
            let stored = client.store.message(&room("a"), &pair[0].id).await.unwrap().unwrap();
            assert_eq!(stored.content, Json::empty());
        }
        client.end().await;
    })
    .await;
}

/// Cancelled on its way, and surely not arrived: there is nothing to take back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cancelled_on_its_way_and_refused_it_is_gone() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.hold(Hold::Before);
        client.wire.next([Fault::Refused(Refusal::new(403, "M_FORBIDDEN"))]);
        let hello = client.text("a", "hello").await;
        client.drive();
        client.wire.begun("send", 1).await;
        client.outbox.cancel(&hello.txn_id).await.unwrap();
        client.wire.hold(Hold::Nowhere);
        client.until("gone", |rows| rows.is_empty()).await;
        assert_eq!(client.wire.events(&room("a")).len(), 0);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_changes_follows_or_replaces() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let hello = client.text("a", "hello").await;
        let acted = client.outbox.edit(&hello.txn_id, content("in place")).await.unwrap();
        assert_eq!(acted, Acted::Done { maybe_sent: false });
        client.wire.hold(Hold::After);
        client.drive();
        client.wire.begun("send", 1).await;
        let acted = client.outbox.edit(&hello.txn_id, content("on its way")).await.unwrap();
        assert!(matches!(acted, Acted::Followed(_)), "{acted:?}");
        client.wire.hold(Hold::Nowhere);
        client.settle().await;
        let events = client.wire.events(&room("a"));
        assert_eq!(events[0].content, content("in place"));
        assert_eq!(events[1].content.text("edits"), Some(events[0].id.to_string()));

        client.wire.next([Fault::Refused(Refusal::new(400, "M_BAD_JSON"))]);
        let bad = client.text("a", "bad").await;
        client.reaches(&bad, PendingState::Parked(ParkReason::Invalid)).await;
        let acted = client.outbox.edit(&bad.txn_id, content("good")).await.unwrap();
        let Acted::Replaced(good) = acted else { panic!("{acted:?}") };
        assert_ne!(good.txn_id, bad.txn_id, "no transaction id stands for two contents");
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a"))[2..], ["good"]);
        client.end().await;
    })
    .await;
}
