//! The server's answers, or their absence.

use haos_backends::{Home, on_every_store};
use haos_queue::{ConnectionState, OutboxOptions, PauseReason, Refusal};
use haos_store_api::*;

use crate::client::{Client, draft, guarded, options, room};
use crate::wire::{Fault, Hold};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_whose_answer_was_lost_is_sent_again_under_its_id() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.next([Fault::AnswerLost, Fault::AnswerLost]);
        let hello = client.text("a", "hello").await;
        client.drive();
        let row = client.reaches(&hello, PendingState::Sent).await;
        assert_eq!((row.attempts, row.error), (0, None), "no answer is no failed attempt");
        assert_eq!(client.wire.times(&format!("send !a {}", hello.txn_id)).len(), 3);
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["hello"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_whose_caller_heard_nothing_is_taken_once() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let named = || draft("a", "m.room.message", r#"{"body":"once"}"#).txn_id(TxnId::new("t1").unwrap());
        let first = client.outbox.enqueue(named()).await.unwrap();
        let (one, other) = tokio::join!(client.outbox.enqueue(named()), client.outbox.enqueue(named()));
        assert_eq!((&one.unwrap(), &other.unwrap()), (&first, &first));
        client.text("a", "next").await;
        client.drive();
        client.settle().await;
        // The outbox has forgotten it, and the timeline knows it.
        assert_eq!(client.state(&first).await, None);
        assert_eq!(client.outbox.enqueue(named()).await.unwrap().txn_id, first.txn_id);
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["once", "next"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_echo_before_the_answer_converges() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.hold(Hold::After);
        let hello = client.text("a", "hello").await;
        let answer = client.about("a", &hello, "m.room.message", r#"{"answers":"TARGET","body":"me"}"#).await;
        client.drive();
        client.wire.begun("send", 1).await;
        while client.wire.events(&room("a")).is_empty() {
            tokio::task::yield_now().await;
        }
        client.sync().await;
        assert_eq!(client.state(&hello).await, None, "the timeline has it");
        assert_eq!(client.state(&answer).await, Some(PendingState::Queued), "it need not wait any more");
        client.wire.hold(Hold::Nowhere);
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["hello", "me"]);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_head_blocks_its_room_visibly_and_no_other() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.model(|model| model.set_member(&room("a"), false));
        let first = client.text("a", "first").await;
        let second = client.text("a", "second").await;
        let other = client.text("b", "other").await;
        client.drive();
        let row = client.reaches(&first, PendingState::Parked(ParkReason::Forbidden)).await;
        assert_eq!(row.error.as_deref(), Some("403 M_FORBIDDEN"));
        client.reaches(&other, PendingState::Sent).await;
        assert_eq!(client.state(&second).await, Some(PendingState::Queued));
        let blockers = client.outbox.blockers(&room("a")).await.unwrap();
        assert_eq!(blockers.iter().map(|row| &row.txn_id).collect::<Vec<_>>(), [&first.txn_id]);
        assert_eq!(client.outbox.blockers(&room("b")).await.unwrap(), []);
        client.wire.model(|model| model.set_member(&room("a"), true));
        client.outbox.retry(&first.txn_id).await.unwrap();
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["first", "second"]);
        client.end().await;
    })
    .await;
}

/// Taken up by itself when a sync shows that the user is in the room again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forbidden_message_goes_out_once_the_user_may_write_again() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.sync().await;
        client.wire.model(|model| model.set_member(&room("a"), false));
        let hello = client.text("a", "hello").await;
        client.drive();
        client.reaches(&hello, PendingState::Parked(ParkReason::Forbidden)).await;
        client.sync().await;
        assert_eq!(client.state(&hello).await, Some(PendingState::Parked(ParkReason::Forbidden)));
        client.wire.model(|model| model.set_member(&room("a"), true));
        client.sync().await;
        client.reaches(&hello, PendingState::Sent).await;
        client.settle().await;
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quiet_that_the_server_wants_holds_for_the_whole_account() {
    on_every_store(async |home: Home| {
        let options = OutboxOptions { parallel_rooms: 1, ..options() };
        let mut client = Client::with(home, options).await;
        let quiet_ms = 150;
        let refusal = Refusal { retry_after_ms: Some(quiet_ms), ..Refusal::new(429, "M_LIMIT_EXCEEDED") };
        client.wire.next([Fault::Refused(refusal)]);
        let first = client.text("a", "first").await;
        for name in ["b", "c"] {
            client.text(name, name).await;
        }
        client.drive();
        client.wire.begun("send", 1).await;
        // A restart does not forget it.
        client.until("quiet", |rows| rows.iter().any(|row| row.not_before_ms > 0)).await;
        client.restart().await;
        let row = client.reaches(&first, PendingState::Sent).await;
        assert_eq!(row.attempts, 0, "it does not count");
        client.settle().await;
        let times = client.wire.times("send");
        assert_eq!(times.len(), 4);
        assert!(times[1] >= times[0] + i64::try_from(quiet_ms).unwrap(), "{times:?}");
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_login_leaves_in_doubt_is_looked_for() {
    on_every_store(async |home: Home| {
        let mut client = Client::with(home, OutboxOptions { settle_ms: 1, ..options() }).await;
        client.drive();
        let mut connection = client.outbox.connection();
        let out = ConnectionState::Paused(PauseReason::LoggedOut);
        // The message arrived, or it was lost.
        for (name, fault) in [("a", Fault::AnswerLost), ("b", Fault::Lost)] {
            client.text(name, "before").await;
            client.settle().await;
            let refusal = Refusal::new(401, "M_UNKNOWN_TOKEN");
            let refusal = Refusal { account: Some(PauseReason::LoggedOut), ..refusal };
            client.wire.next([fault, Fault::Refused(refusal)]);
            client.text(name, "once").await;
            guarded("a pause", connection.wait_for(|state| *state == out)).await.unwrap();
            let rows = client.until("the row waits", |rows| rows[0].state == PendingState::Queued).await;
            assert!(rows[0].ambiguous && rows[0].device.is_some());
            client.wire.model(|model| {
                // As Synapse does at a logout and a restart.
                model.forget();
                // An earlier event proves nothing, though it does not say by which transaction.
                model.rooms.get_mut(&room(name)).unwrap().events[0].device = None;
            });
            let mut login = WriteBatch::strict();
            client.outbox.logged_in(&mut login).await.unwrap();
            client.store.apply(login).await.unwrap();
            client.outbox.resume(None).await.unwrap();
            client.settle().await;
            assert_eq!(client.wire.bodies(&room(name)), ["before", "once"]);
        }
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_fails_nothing_and_a_login_goes_on() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.wire.model(|model| model.device = None);
        let rooms = ["a", "b", "c"];
        for name in rooms {
            client.text(name, name).await;
        }
        client.drive();
        let mut connection = client.outbox.connection();
        let paused = ConnectionState::Paused(PauseReason::LoggedOut);
        guarded("a pause", connection.wait_for(|state| *state == paused)).await.unwrap();
        // Each may have been on its way when the first was refused, none a second time.
        let idle = |rows: &[Pending]| rows.iter().all(|row| row.state == PendingState::Queued);
        let rows = client.until("all wait", idle).await;
        assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
        client.restart().await;
        client.text("a", "again").await;
        assert_eq!(client.outbox.paused(None).await.unwrap(), Some(PauseReason::LoggedOut));
        let session = client.wire.session.clone();
        client.wire.model(|model| model.device = Some(session.device));
        for row in rows {
            let asked = client.wire.times(&format!("send {} {}", row.room, row.txn_id)).len();
            assert!(asked <= 1, "{} was sent {asked} times while logged out", row.txn_id);
        }
        client.outbox.resume(None).await.unwrap();
        client.settle().await;
        assert_eq!(client.wire.bodies(&room("a")), ["a", "again"]);
        client.end().await;
    })
    .await;
}
