//! Engine and driver on one outbox: they wake each other, and must not chase each other.

use futures_util::FutureExt as _;
use haos_matrix::compose;
use haos_queue::{Answer, ConnectionState, Driver, Lead, Session};
use haos_sim::{Blow, Chance};
use haos_store_api::{
    MemoryStore, ParkReason, Pending, PendingQuery, PendingState, StorageAdapter as _, TxnId, UserId,
};

use crate::client::{Client, room};
use crate::model::ME;
use crate::wire::Fault;

const HOUR_MS: u64 = 3_600_000;

fn together(seed: u64) -> Client {
    let mut client = Client::with(seed, crate::client::options(), seed.is_multiple_of(2));
    for n in 0..3 {
        let id = format!("!r{n}");
        client.wire.model().create(&id);
        client.wire.model().join(&id);
    }
    restart(&mut client);
    client
}

/// Both start, again if they ran before.
fn restart(client: &mut Client) {
    client.start();
    drive(client);
}

fn drive(client: &mut Client) {
    let session = Session { user: UserId::new(ME).unwrap(), device: "DEV".to_owned() };
    let driver = Driver::new(client.outbox.clone(), client.wire.clone(), session);
    client.spawn_running(driver.run(Lead::Shared));
}

/// Writes a message; none if the process died at it.
fn write(client: &mut Client, n: u64) -> Option<TxnId> {
    let (outbox, plan) = (client.outbox.clone(), client.plan.clone());
    let draft = compose::text(&room(&format!("!r{}", n % 3)), "mine").unwrap();
    let host = outbox.host().clone();
    client.act(async move {
        let died = async {
            while !plan.lock().unwrap().dead {
                host.sleep(1000).await;
            }
        };
        tokio::select! {
            written = outbox.enqueue(draft) => written.ok().map(|written| written.txn_id),
            () = died => None,
        }
    })
}

fn waiting(store: &MemoryStore) -> Vec<Pending> {
    store.pending(PendingQuery::default()).now_or_never().unwrap().unwrap()
}

/// Lets time pass until nothing waits any more, and everything is there. Echoes may be behind gaps.
fn drained(client: &mut Client) {
    client.until("everything is sent", |store, state| {
        let is_sent = waiting(store).iter().all(|row| row.state == PendingState::Sent);
        is_sent && *state == ConnectionState::Live
    });
    assert!(client.caught_up() && client.fill_all());
    assert_eq!(waiting(&client.rows), []);
    client.check_complete();
}

#[test]
fn an_hour_of_outage_costs_few_requests_and_everything_arrives_once() {
    for seed in 0..10 {
        let mut client = together(seed);
        assert!(client.caught_up());
        *client.wire.down.lock().unwrap() =
            Some(if seed % 2 == 0 { Fault::Fail(Answer::Unsent) } else { Fault::Hang });
        let written: Vec<_> = (0..30).map(|n| write(&mut client, n).unwrap()).collect();
        client.wire.model().messages("!r0", 40);
        let before = client.wire.asked("").len();
        client.pass(HOUR_MS);
        let asked = client.wire.asked("").len() - before;
        assert!(asked < 200, "{asked} requests in an hour");
        *client.wire.down.lock().unwrap() = None;
        let before = client.wire.asked("").len();
        drained(&mut client);
        let sends = client.wire.asked("send").len();
        assert!(sends < 30 + 200, "{sends}");
        let asked = client.wire.asked("").len() - before;
        assert!(asked < 200, "{asked} requests to catch up");
        arrived_once(&client, &written);
    }
}

fn arrived_once(client: &Client, written: &[TxnId]) {
    for n in 0..3 {
        let expected: Vec<_> = written.iter().skip(n).step_by(3).map(ToString::to_string).collect();
        assert_eq!(client.wire.model().arrived(&format!("!r{n}")), expected);
    }
}

#[test]
fn whatever_fails_each_message_arrives_once_and_in_order() {
    for seed in 0..40 {
        let (mut chance, mut client) = (Chance::new(seed), together(seed));
        client.plan.lock().unwrap().chance = Some(Chance::new(seed + 1));
        let mut written = Vec::new();
        for n in 0..30 {
            *client.wire.percent.lock().unwrap() = chance.below(70);
            client.plan.lock().unwrap().percent = 0;
            written.push(write(&mut client, n).unwrap());
            client.wire.model().messages("!r1", usize::try_from(chance.below(9)).unwrap());
            client.plan.lock().unwrap().percent = chance.below(30);
            if chance.percent(20) {
                let blow = *chance.pick(&[Blow::DieBefore, Blow::DieAfter]).unwrap();
                client.plan.lock().unwrap().after(chance.below(4), blow);
            }
            client.pass(chance.below(60_000));
            client.check();
            let mut plan = client.plan.lock().unwrap();
            plan.blow = None;
            let dead = plan.dead;
            drop(plan);
            if dead || chance.percent(10) {
                restart(&mut client);
            }
        }
        *client.wire.percent.lock().unwrap() = 0;
        client.plan.lock().unwrap().percent = 0;
        restart(&mut client);
        drained(&mut client);
        arrived_once(&client, &written);
    }
}

/// A row that the server refuses is not sent again whenever a sync goes through again.
#[test]
fn a_flapping_sync_does_not_stir_up_what_was_refused() {
    let mut client = together(1);
    assert!(client.caught_up());
    client.wire.model().rooms.get_mut("!r0").unwrap().muted = true;
    write(&mut client, 0).unwrap();
    client.pass(10_000);
    assert_eq!(waiting(&client.rows)[0].state, PendingState::Parked(ParkReason::Forbidden));
    let before = client.wire.asked("send").len();
    let flaps = (0..20_000).flat_map(|_| [Fault::Fail(Answer::NoAnswer), Fault::None]);
    client.wire.next("sync", flaps);
    client.pass(HOUR_MS);
    let sends = client.wire.asked("send").len() - before;
    assert!(sends < 60, "sent {sends} times in an hour");
    client.wire.model().rooms.get_mut("!r0").unwrap().muted = false;
    client.wire.model().state("!r0", "@bob:sim", "m.room.power_levels", "", serde_json::json!({}));
    client.until("it is sent", |rows, _| waiting(rows).is_empty());
}
