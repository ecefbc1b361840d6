//! Odd circumstances: clocks that were set back, uploads that never end, stops at once, late damage.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use haos_backends::{Backend, Home};
use haos_queue::{
    Answer, BackfillPage, Body, Created, Draft, Driver, Event, Lead, Lookup, Order, Outbox, OutboxOptions,
    Refusal, RetryPolicy, Transport,
};
use haos_sim::SimProtocol;
use haos_store_api::*;

use crate::client::{Client, draft, guarded, options, room};
use crate::clock::Clock;
use crate::wire::{Fault, Hold, Wire};

const SOON: Duration = Duration::from_secs(30);

fn memory() -> Home {
    Home::new(Backend::Memory, false)
}

fn broken() -> Fault {
    Fault::Refused(Refusal { status: 500, ..Refusal::default() })
}

async fn soon(client: &Client, txn_id: &TxnId, state: PendingState) {
    let wait = async {
        while client.row(txn_id).await.map(|row| row.state) != Some(state) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    if tokio::time::timeout(SOON, wait).await.is_err() {
        panic!("never {state:?}: {:#?}", client.row(txn_id).await);
    }
}

/// A row that waits for a parked one is overtaken with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_parked_row_is_overtaken_with_it() {
    let mut client = Client::with(memory(), OutboxOptions { order: Order::SkipParked, ..options() }).await;
    client.wire.next([Fault::Refused(Refusal::new(403, "M_FORBIDDEN"))]);
    let bad = client.text("a", "bad").await;
    client.about("a", &bad, "m.reaction", r#"{"to":"TARGET"}"#).await;
    let after = client.text("a", "after").await;
    client.drive();
    soon(&client, &bad.txn_id, PendingState::Parked(ParkReason::Forbidden)).await;
    soon(&client, &after.txn_id, PendingState::Sent).await;
}

/// The same with a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_paused_upload_is_overtaken_with_it() {
    let mut client = Client::with(memory(), OutboxOptions { order: Order::SkipParked, ..options() }).await;
    let staged = client.outbox.stage(&room("a"), None, vec![1; 20]).await.unwrap();
    client.outbox.enqueue(draft("a", "m.room.message", r#"{"body":"file"}"#).upload(staged)).await.unwrap();
    let upload = client.outbox.rows(None).await.unwrap().remove(0);
    client.outbox.pause_upload(&upload.txn_id).await.unwrap();
    let after = client.text("a", "after").await;
    client.drive();
    soon(&client, &after.txn_id, PendingState::Sent).await;
}

/// A signal that the preset gives up leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_given_up_under_the_seed_preset_goes() {
    let retry =
        RetryPolicy { base_ms: 2, cap_ms: 5, jitter: haos_queue::Jitter::Scale, ..RetryPolicy::seed() };
    let mut client = Client::with(memory(), OutboxOptions { retry, ..options() }).await;
    client.wire.next((0..5).map(|_| broken()));
    let receipt = client.outbox.enqueue(draft("a", "haos.receipt", "{}")).await.unwrap();
    client.drive();
    let gone = async {
        while client.state(&receipt).await.is_some() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(SOON, gone).await.is_ok(), "it stays");
}

/// An answer with a file outlives the message that it answers, as one without does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_with_a_file_outlives_its_parent() {
    let client = Client::new(memory()).await;
    let hello = client.text("a", "hello").await;
    let staged = client.outbox.stage(&room("a"), None, vec![1; 20]).await.unwrap();
    let answer = draft("a", "m.room.message", &format!(r#"{{"answers":"{}","body":"me"}}"#, hello.local_id));
    let answer = answer.about(haos_queue::About::Unsent(hello.txn_id.clone())).upload(staged);
    let answer: Draft = answer;
    let answer = client.outbox.enqueue(answer).await.unwrap();
    client.outbox.cancel(&hello.txn_id).await.unwrap();
    assert!(client.row(&answer.txn_id).await.is_some(), "what the user wrote is gone");
}

/// The wire, but uploads never end.
struct Endless(Arc<Wire>, tokio::sync::Notify);

#[async_trait::async_trait]
impl Transport for Endless {
    async fn send(&self, row: &Pending) -> Answer {
        self.0.send(row).await
    }
    async fn create_media(&self) -> Created {
        self.0.create_media().await
    }
    async fn upload(&self, body: Body<'_>, _: Option<&MediaUri>) -> Answer {
        self.1.notify_one();
        let mut sent = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            sent += 1;
            body.sent(sent);
        }
    }
    async fn media_exists(&self, uri: &MediaUri) -> Lookup<()> {
        self.0.media_exists(uri).await
    }
    async fn event(&self, room: &RoomId, event: &EventId) -> Lookup<Event> {
        self.0.event(room, event).await
    }
    async fn history(
        &self,
        room: &RoomId,
        from: Option<&str>,
        limit: usize,
    ) -> std::result::Result<BackfillPage, Answer> {
        self.0.history(room, from, limit).await
    }
}

/// One lost request while a large file goes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_upload_does_not_hold_up_messages_after_a_failure() {
    let client = Client::new(memory()).await;
    let endless = Arc::new(Endless(client.wire.clone(), tokio::sync::Notify::new()));
    let staged = client.outbox.stage(&room("b"), None, vec![1; 20]).await.unwrap();
    client.outbox.enqueue(draft("b", "m.room.message", r#"{"body":"file"}"#).upload(staged)).await.unwrap();
    let driver = Driver::new(client.outbox.clone(), endless.clone(), client.wire.session.clone());
    let driving = tokio::spawn(driver.run(Lead::Alone));
    endless.1.notified().await;
    client.wire.next([Fault::Unsent]);
    let hello = client.text("a", "hello").await;
    soon(&client, &hello.txn_id, PendingState::Sent).await;
    driving.abort();
}

const DAY: i64 = 24 * 3_600_000;

async fn ahead(options: OutboxOptions) -> (Client, Arc<Clock>) {
    let mut client = Client::new(memory()).await;
    let clock = Arc::new(Clock::ahead(DAY));
    client.outbox = Outbox::new(client.store.clone(), clock.clone(), Arc::new(SimProtocol), options).unwrap();
    (client, clock)
}

/// Online while the clock was wrong: backoff holds once it is right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backoff_holds_after_the_clock_was_set_back() {
    let (mut client, clock) = ahead(OutboxOptions { retry: RetryPolicy::default(), ..options() }).await;
    client.drive();
    client.reaches(&client.text("b", "one").await, PendingState::Sent).await;
    client.outbox.platform_online(true);
    client.reaches(&client.text("b", "two").await, PendingState::Sent).await;
    clock.wall_ms.store(0, Ordering::SeqCst);
    client.wire.next((0..100).map(|_| broken()));
    client.text("a", "hello").await;
    // The driver waits for the row as long as the first delay may be.
    let waits = |naps: &Vec<u64>| naps.iter().any(|ms| (400..=1000).contains(ms));
    guarded("a wait", clock.naps.subscribe().wait_for(waits)).await.unwrap();
    assert_eq!(client.wire.times("send !a").len(), 1);
}

/// A failure while the clock was wrong: coming online tries again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_the_future_is_tried_again_when_online() {
    // Nothing but coming online brings the second attempt.
    let retry = RetryPolicy { base_ms: 3_600_000, cap_ms: 3_600_000, ..RetryPolicy::default() };
    let (mut client, clock) = ahead(OutboxOptions { retry, ..options() }).await;
    client.wire.next([Fault::Unsent]);
    let hello = client.text("a", "hello").await;
    client.drive();
    client.wire.begun("send", 1).await;
    client.until("it failed", |rows| rows.iter().any(|row| row.error.is_some())).await;
    clock.wall_ms.store(0, Ordering::SeqCst);
    client.outbox.platform_online(true);
    soon(&client, &hello.txn_id, PendingState::Sent).await;
}

/// In doubt since the future: the proof is not put off for ever.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doubt_of_the_future_is_proven() {
    let (mut client, clock) = ahead(OutboxOptions { settle_ms: 20, ..options() }).await;
    client.wire.hold(Hold::Before);
    let hello = client.text("a", "hello").await;
    let driver = client.driver();
    let driving = tokio::spawn(driver.run(Lead::Alone));
    client.wire.begun("send", 1).await;
    driving.abort();
    driving.await.unwrap_err();
    clock.wall_ms.store(0, Ordering::SeqCst);
    client.wire.hold(Hold::Nowhere);
    client.drive();
    soon(&client, &hello.txn_id, PendingState::Sent).await;
}

/// One message of the timeline that cannot be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_message_of_the_timeline_stops_no_sending() {
    let mut client = Client::new(Home::new(Backend::Sqlite, false)).await;
    client.drive();
    client.text("a", "first").await;
    client.settle().await;
    client.crash().await;
    client.store.close().await.unwrap();
    let conn = rusqlite::Connection::open(client.home.sqlite_path()).unwrap();
    let spoilt = conn.execute(&format!("UPDATE {MESSAGES} SET payload = '{{\"x\":1}}'"), []).unwrap();
    assert!(spoilt > 0);
    drop(conn);
    client.store = client.home.open().await;
    client.outbox = crate::client::outbox(&client.store, options());
    let hello = client.text("a", "hello").await;
    client.drive();
    soon(&client, &hello.txn_id, PendingState::Sent).await;
}

const MESSAGES: &str = "message";

/// A parked row that becomes unreadable while the driver runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_row_damaged_later_stops_no_other() {
    let mut client = Client::new(Home::new(Backend::Sqlite, false)).await;
    client.wire.next([Fault::Refused(Refusal::new(403, "M_FORBIDDEN"))]);
    let bad = client.text("a", "bad").await;
    client.drive();
    soon(&client, &bad.txn_id, PendingState::Parked(ParkReason::Forbidden)).await;
    let conn = rusqlite::Connection::open(client.home.sqlite_path()).unwrap();
    let sql = "UPDATE pending SET payload = '{\"x\":1}' WHERE seq = ?1";
    assert_eq!(conn.execute(sql, [bad.seq as i64]).unwrap(), 1);
    drop(conn);
    client.outbox.try_now();
    let hello = client.text("b", "hello").await;
    soon(&client, &hello.txn_id, PendingState::Sent).await;
}

/// A row expires while it is being sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expiry_under_way_does_not_spin() {
    let (mut client, clock) = ahead(options()).await;
    client.wire.hold(Hold::Before);
    let hello = draft("a", "m.room.message", r#"{"body":"x"}"#).expires_in_ms(300);
    client.outbox.enqueue(hello).await.unwrap();
    client.drive();
    client.wire.begun("send", 1).await;
    clock.pass(1000);
    // Each wakes the driver; what it begins last was written last.
    stir(&client).await;
    client.text("c", "last").await;
    client.wire.begun("send !c", 1).await;
    assert!(clock.blinks() < 20, "{} naps of a millisecond", clock.blinks());
}

/// A driver that does not rest would sleep next to nothing after each of these.
async fn stir(client: &Client) {
    for n in 0..40 {
        client.text("b", &format!("stirs {n}")).await;
    }
}

/// A row becomes due while the run ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_spin() {
    let retry = RetryPolicy { base_ms: 400, ..RetryPolicy::default() };
    let (mut client, clock) = ahead(OutboxOptions { retry, ..options() }).await;
    client.wire.next([broken()]);
    client.text("a", "x").await;
    client.drive();
    client.wire.begun("send", 1).await;
    client.wire.hold(Hold::Before);
    client.text("b", "y").await;
    client.wire.begun("send", 2).await;
    client.outbox.stop(30_000);
    clock.pass(1000);
    stir(&client).await;
    let wire = client.wire.clone();
    wire.hold(Hold::Nowhere);
    client.end().await;
    assert!(clock.blinks() < 20, "{} naps of a millisecond", clock.blinks());
    assert_eq!(wire.times("send !a").len(), 1, "nothing is begun any more");
}

/// Stopped as soon as it was begun.
#[tokio::test]
async fn a_stop_right_after_the_start_counts() {
    let client = Client::new(memory()).await;
    let driver = client.driver();
    let driving = tokio::spawn(driver.run(Lead::Alone));
    client.outbox.stop(0);
    assert!(tokio::time::timeout(SOON, driving).await.is_ok(), "it runs on");
}

/// A sent message without an echo, and nobody answers whether it is there: it is asked again soon.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_was_not_answered_is_asked_again() {
    let (mut client, clock) = ahead(OutboxOptions { echo_ms: 1, ..options() }).await;
    // Nobody asks whether the rooms are encrypted.
    client.sync().await;
    client.wire.unheard.store(1, Ordering::SeqCst);
    client.drive();
    let hello = client.text("a", "hello").await;
    soon(&client, &hello.txn_id, PendingState::Sent).await;
    // Two syncs that did not bring it.
    for token in ["s1", "s2"] {
        client.sync_without_news(token).await;
    }
    client.wire.begun("event", 1).await;
    client.reaches(&client.text("b", "the answer was seen").await, PendingState::Sent).await;
    clock.pass(31_000);
    client.text("b", "wakes the driver").await;
    client.wire.begun("event", 2).await;
    client.until("it is there", |rows| rows.iter().all(|row| row.txn_id != hello.txn_id)).await;
}
