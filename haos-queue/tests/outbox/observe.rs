//! Whoever watches the outbox misses nothing.

use std::collections::BTreeMap;

use haos_backends::{Home, on_every_store};
use haos_queue::{ConnectionState, Observer, PauseReason, Refusal, RowStatus, SyncState, Update};
use haos_store_api::*;

use crate::client::{Client, guarded, room};
use crate::wire::Fault;

/// Follows until the row of this body is told of.
async fn follow(mut observer: Observer, until: &'static str) -> BTreeMap<TxnId, Pending> {
    let mut seen = BTreeMap::new();
    loop {
        match observer.next().await.unwrap().unwrap() {
            Update::Reset(rows) => {
                seen = rows.into_iter().map(|row| (row.txn_id.clone(), row)).collect();
            }
            Update::Put(row) => drop(seen.insert(row.txn_id.clone(), *row)),
            Update::Removed(txn_id) => drop(seen.remove(&txn_id)),
            other => panic!("{other:?}"),
        }
        let ended = |row: &Pending| row.content.text("body").as_deref() == Some(until);
        if seen.values().any(ended) {
            return seen;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_and_its_updates_are_the_outbox() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        client.outbox.pause(Some(&room("c")), PauseReason::User).await.unwrap();
        client.text("a", "there before").await;
        let watching: Vec<_> = [None, Some(room("a"))]
            .map(|of| (of.clone(), tokio::spawn(follow(client.outbox.observe(of), "the end"))))
            .into();
        let refusal = Fault::Refused(Refusal::new(403, "M_FORBIDDEN"));
        client.wire.next([Fault::AnswerLost, Fault::None, Fault::Lost, Fault::None, refusal]);
        client.drive();
        for n in 0..6 {
            let first = client.text("a", &format!("a{n}")).await;
            client.about("a", &first, "m.reaction", r#"{"to":"TARGET"}"#).await;
            client.text("b", &format!("b{n}")).await;
            if n % 2 == 0 {
                client.outbox.cancel(&first.txn_id).await.unwrap();
                client.sync().await;
            }
        }
        // Refused rows are tried again, until all is sent.
        let sent = |row: &Pending| row.state == PendingState::Sent;
        let parked = |row: &Pending| matches!(row.state, PendingState::Parked(_));
        let rests = |rows: &[Pending]| rows.iter().any(parked) || rows.iter().all(sent);
        while !client.until("rest", rests).await.iter().all(sent) {
            client.outbox.retry_all().await.unwrap();
        }
        client.outbox.pause(Some(&room("a")), PauseReason::User).await.unwrap();
        client.text("c", "the end").await;
        client.text("a", "the end").await;
        for (of, watching) in watching {
            let seen = guarded("the end", watching).await.unwrap();
            let rows = client.outbox.rows(of.as_ref()).await.unwrap();
            let mut expected: BTreeMap<_, _> =
                rows.into_iter().map(|row| (row.txn_id.clone(), row)).collect();
            // Whoever watches everything ends at the first of the two.
            expected.retain(|txn_id, row| seen.contains_key(txn_id) || row.room != room("a"));
            assert_eq!(seen, expected);
        }
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_says_when_it_takes_long() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let unwell = Refusal { status: 503, ..Refusal::default() };
        client.wire.next(vec![Fault::Refused(unwell); 6]);
        let hello = client.text("a", "hello").await;
        let mut observer = client.outbox.observe(None);
        client.drive();
        let mut said: Vec<RowStatus> = Vec::new();
        while said.last() != Some(&RowStatus::Sent) {
            let status = match guarded("an update", observer.next()).await.unwrap().unwrap() {
                Update::Reset(rows) => RowStatus::of(&rows[0]),
                Update::Put(row) => RowStatus::of(&row),
                other => panic!("{other:?}"),
            };
            if said.last() != Some(&status) {
                said.push(status);
            }
        }
        // An update shows the row as it is by then: some are skipped, none comes back.
        let rank = |status: &RowStatus| match status {
            RowStatus::Waiting | RowStatus::Sending => 0,
            RowStatus::StillTrying => 1,
            RowStatus::Delayed => 2,
            _ => 3,
        };
        assert!(said.is_sorted_by_key(rank), "{said:?}");
        assert_eq!(client.row(&hello.txn_id).await.unwrap().attempts, 6);
        client.end().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_beside_the_outbox_is_told_when_the_server_is_heard_again() {
    on_every_store(async |home: Home| {
        let mut client = Client::new(home).await;
        let mut nudges = client.outbox.nudges();
        client.wire.next([Fault::Unsent, Fault::Lost]);
        let hello = client.text("a", "hello").await;
        client.drive();
        client.reaches(&hello, PendingState::Sent).await;
        guarded("a nudge", nudges.changed()).await.unwrap();
        assert_eq!(*nudges.borrow_and_update(), 1, "of two failures in a row, one success");
        let second = client.text("a", "and again").await;
        client.reaches(&second, PendingState::Sent).await;
        assert!(!nudges.has_changed().unwrap(), "nothing had failed");
        client.outbox.try_now();
        assert!(nudges.has_changed().unwrap());
        nudges.mark_unchanged();
        client.outbox.platform_online(false);
        for state in [SyncState::Connecting, SyncState::Live, SyncState::Live] {
            client.outbox.sync_state(state);
        }
        assert!(nudges.has_changed().unwrap(), "the sync knows better");
        assert_eq!(*nudges.borrow_and_update(), 3, "and says so once");
        client.end().await;
    })
    .await;
}

/// A context without a driver of its own, such as one that only syncs, shows a pause once it has read it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_a_pause_shows_it() {
    on_every_store(async |home: Home| {
        let client = Client::new(home).await;
        let state = || client.outbox.connection().borrow().clone();
        client.outbox.pause(Some(&room("a")), PauseReason::User).await.unwrap();
        assert_eq!(client.outbox.paused(Some(&room("a"))).await.unwrap(), Some(PauseReason::User));
        assert_eq!(state(), ConnectionState::Connecting, "a room is not the account");
        client.outbox.pause(None, PauseReason::SoftLogout).await.unwrap();
        client.outbox.paused(None).await.unwrap();
        assert_eq!(state(), ConnectionState::Paused(PauseReason::SoftLogout));
        client.outbox.resume(None).await.unwrap();
        client.outbox.paused(None).await.unwrap();
        assert_eq!(state(), ConnectionState::Connecting);
        client.end().await;
    })
    .await;
}
