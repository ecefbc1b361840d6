//! Clocks that are set: a row is as old as what it lived through.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;

use haos_backends::{Backend, Home};
use haos_queue::{Host, Outbox, OutboxOptions, Refusal, RetryPolicy, Sleep, TokioHost};
use haos_sim::SimProtocol;
use haos_store_api::*;
use tokio::sync::watch;

use crate::client::{Client, draft, guarded, options};
use crate::wire::{Fault, Hold};

const HOUR: i64 = 3_600_000;
const YEAR: i64 = 366 * 24 * HOUR;
/// The end of November 2026, and as long before 1970 was.
const NOW: i64 = 1_795_900_000_000;

/// A machine's clocks: real time, and what was added to it; and how long somebody wanted to sleep, each time.
pub(crate) struct Clock {
    pub(crate) wall_ms: AtomicI64,
    steady_ms: AtomicI64,
    pub(crate) naps: watch::Sender<Vec<u64>>,
}

impl Clock {
    /// A clock whose wall time is that much ahead.
    pub(crate) fn ahead(ms: i64) -> Self {
        Self { wall_ms: AtomicI64::new(ms), steady_ms: AtomicI64::new(0), naps: watch::Sender::default() }
    }

    fn set(&self, wall_ms: i64) {
        self.wall_ms.store(wall_ms - TokioHost.now_ms(), SeqCst);
    }

    /// So much time passes.
    pub(crate) fn pass(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, SeqCst);
        self.steady_ms.fetch_add(ms, SeqCst);
    }

    /// How often somebody slept next to nothing.
    pub(crate) fn blinks(&self) -> usize {
        self.naps.borrow().iter().filter(|ms| **ms <= 1).count()
    }
}

impl Host for Clock {
    fn now_ms(&self) -> i64 {
        TokioHost.now_ms() + self.wall_ms.load(SeqCst)
    }
    fn steady_ms(&self) -> u64 {
        TokioHost.steady_ms().saturating_add_signed(self.steady_ms.load(SeqCst))
    }
    fn sleep(&self, ms: u64) -> Sleep {
        self.naps.send_modify(|naps| naps.push(ms));
        TokioHost.sleep(ms)
    }
    fn random(&self) -> u64 {
        TokioHost.random()
    }
}

/// A client whose clock shows this.
async fn at(wall_ms: i64) -> (Client, Arc<Clock>) {
    let mut client = Client::new(Home::new(Backend::Memory, false)).await;
    let clock = Arc::new(Clock::ahead(0));
    clock.set(wall_ms);
    again(&mut client, &clock);
    (client, clock)
}

/// The process starts again.
fn again(client: &mut Client, clock: &Arc<Clock>) {
    // Nothing is tried again while a test looks.
    let retry =
        RetryPolicy { base_ms: HOUR.unsigned_abs(), cap_ms: HOUR.unsigned_abs(), ..RetryPolicy::default() };
    let options = OutboxOptions { settle_ms: 20, lease_ms: 200, retry, ..options() };
    client.outbox = Outbox::new(client.store.clone(), clock.clone(), Arc::new(SimProtocol), options).unwrap();
}

async fn becomes(client: &Client, txn_id: &TxnId, state: PendingState) {
    let wait = async {
        while client.row(txn_id).await.map(|row| row.state) != Some(state) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    guarded(&format!("{state:?}"), wait).await;
}

/// The machine boots in 1970, something is written, and the network says what day it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_written_in_1970_is_sent_once_the_clock_is_set() {
    for restarts in [false, true] {
        let (mut client, clock) = at(60_000).await;
        let (first, second) = (client.text("a", "first").await, client.text("a", "second").await);
        clock.set(NOW);
        if restarts {
            again(&mut client, &clock);
        }
        client.drive();
        becomes(&client, &first.txn_id, PendingState::Sent).await;
        becomes(&client, &second.txn_id, PendingState::Sent).await;
    }
}

/// The clock is set by years, forwards and back, in a run and between runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_expires_because_the_clock_was_set() {
    for by in [3 * YEAR, -3 * YEAR, NOW, -NOW] {
        for restarts in [false, true] {
            let (mut client, clock) = at(NOW).await;
            let hello = client.text("a", "hello").await;
            clock.set(NOW + by);
            if restarts {
                again(&mut client, &clock);
            }
            client.drive();
            becomes(&client, &hello.txn_id, PendingState::Sent).await;
        }
    }
}

/// A row that was lived through for longer than it may wait is expired, whatever the clock shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_lived_its_time_expires() {
    for by in [0, 3 * YEAR, -3 * YEAR] {
        let (client, clock) = at(NOW).await;
        let late = draft("a", "m.room.message", r#"{"body":"late"}"#).expires_in_ms(HOUR.unsigned_abs());
        let late = client.outbox.enqueue(late).await.unwrap();
        clock.set(NOW + by);
        clock.pass(2 * HOUR);
        let mut client = client;
        client.drive();
        becomes(&client, &late.txn_id, PendingState::Parked(ParkReason::Expired)).await;
    }
}

/// The server asked for a pause while the clock stood in 2090, and so did the backoff.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_wait_lasts_until_2090() {
    for refusal in [Refusal::new(429, "M_LIMIT_EXCEEDED"), Refusal { status: 500, ..Refusal::default() }] {
        let (mut client, clock) = at(NOW + 64 * YEAR).await;
        client.wire.next([Fault::Refused(refusal)]);
        let hello = client.text("a", "hello").await;
        let driving = tokio::spawn(client.driver().run(haos_queue::Lead::Alone));
        client.wire.begun("send", 1).await;
        becomes(&client, &hello.txn_id, PendingState::Queued).await;
        driving.abort();
        clock.set(NOW);
        again(&mut client, &clock);
        // Time passes from when the store's clock is read first.
        client.text("b", "again").await;
        clock.pass(25 * HOUR);
        client.drive();
        becomes(&client, &hello.txn_id, PendingState::Sent).await;
    }
}

/// Another run's clock may be a little ahead, and its waits count. What was tried far in the future was tried by a
/// clock that has been set since, and its waits mean nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waits_of_a_clock_that_is_a_little_ahead_count() {
    for (ahead_ms, waits) in [(0, true), (9_000, true), (10_000_000, false)] {
        let (client, _clock) = at(NOW).await;
        let tried = client.text("a", "tried").await;
        let row = client.row(&tried.txn_id).await.unwrap();
        let last_attempt_ms = Some(NOW + ahead_ms);
        let row =
            Pending { first_attempt_ms: last_attempt_ms, last_attempt_ms, not_before_ms: NOW + HOUR, ..row };
        let mut batch = WriteBatch::strict();
        batch.put_pending(row);
        client.store.apply(batch).await.unwrap();
        let other = client.text("b", "other").await;
        let driving = tokio::spawn(client.driver().run(haos_queue::Lead::Alone));
        becomes(&client, &other.txn_id, PendingState::Sent).await;
        if !waits {
            becomes(&client, &tried.txn_id, PendingState::Sent).await;
        }
        let state = client.row(&tried.txn_id).await.unwrap().state;
        assert_eq!(state == PendingState::Queued, waits, "{ahead_ms}: {state:?}");
        driving.abort();
    }
}

/// A row that waits until 2090, and one that somebody holds until then: written by whatever clock that was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_says_2090_waits_no_longer_than_rows_do() {
    let (client, _clock) = at(NOW).await;
    let held = client.text("a", "held").await;
    let row = client.row(&held.txn_id).await.unwrap();
    let until_ms = NOW + 64 * YEAR;
    let lease = Some(Lease { owner: "somebody".to_owned(), until_ms });
    let row = Pending {
        state: PendingState::Sending,
        lease,
        first_attempt_ms: Some(NOW),
        last_attempt_ms: Some(NOW),
        ..row
    };
    let mut batch = WriteBatch::strict();
    batch.put_pending(row);
    client.store.apply(batch).await.unwrap();
    let driver = client.driver();
    let driving = tokio::spawn(driver.run(haos_queue::Lead::Shared));
    becomes(&client, &held.txn_id, PendingState::Sent).await;
    driving.abort();
}

/// In doubt, and the clock set back by more than was lived since: nobody knows what the server has forgotten. Of two
/// runs in a row the clocks may differ a little.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_lies_leads_to_a_proof() {
    for (lived, by, is_proven) in
        [(30 * HOUR, -31 * HOUR, true), (30 * HOUR, 3 * YEAR, true), (0, -1, false), (0, -9_000, false)]
    {
        let (mut client, clock) = at(NOW).await;
        client.wire.hold(Hold::Before);
        let hello = client.text("a", "hello").await;
        let driving = tokio::spawn(client.driver().run(haos_queue::Lead::Alone));
        client.wire.begun("send", 1).await;
        driving.abort();
        driving.await.unwrap_err();
        clock.pass(lived);
        clock.set(clock.now_ms() + by);
        client.wire.hold(Hold::Nowhere);
        again(&mut client, &clock);
        client.drive();
        becomes(&client, &hello.txn_id, PendingState::Sent).await;
        assert_eq!(!client.wire.times("history").is_empty(), is_proven, "{by}");
    }
}
