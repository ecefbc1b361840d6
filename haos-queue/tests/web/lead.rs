//! The sender: a lock where there are locks, leases everywhere.

use std::cell::Cell;
use std::rc::Rc;

use haos_queue::web::Role;
use haos_store_api::PendingState;
use haos_stub::{Mood, Stub};
use haos_web::{Channel, Lock};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::context::{Context, HOUR_MS, Replaced, a_while, becomes, guarded, until};
use super::send::each_arrives_once_in_order;

#[wasm_bindgen_test]
async fn a_dropped_leader_is_replaced_and_what_it_was_sending_is_taken_up_at_once() {
    let a = Context::new("dropped", &Stub::new(Mood::Hangs));
    let b = a.other();
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let second = b.drive();
    let txn_id = a.write("lobby", 0).await;
    until("a request", || a.server.calls() == 1).await;
    a.reaches(&txn_id, PendingState::Sending).await;
    a.server.set(Mood::Up);
    drop(first);
    becomes(&second, Role::Leading).await;
    // The lease is good for an hour.
    let row = a.reaches(&txn_id, PendingState::Sent).await;
    assert_eq!((row.fence, a.server.calls(), a.server.count()), (2, 2, 1));
}

#[wasm_bindgen_test]
async fn a_leader_that_stops_gives_its_leases_back() {
    let a = Context::new("stopped", &Stub::new(Mood::Hangs));
    let first = a.drive();
    let txn_id = a.write("lobby", 0).await;
    a.reaches(&txn_id, PendingState::Sending).await;
    guarded("the end", first.stop(0)).await.unwrap();
    let row = a.row(&txn_id).await;
    assert_eq!((row.state, row.lease), (PendingState::Queued, None));
    let lock = guarded("the lock", Lock::acquire("haos.leader.stopped")).await;
    drop(lock.unwrap());
}

#[wasm_bindgen_test]
async fn a_leader_without_a_sign_of_life_is_stood_in_for() {
    let held = Lock::acquire("haos.leader.hangs").await.unwrap();
    let a = Context::new("hangs", &Stub::new(Mood::Up)).with(|options| options.patience_ms(90));
    let b = a.other();
    let (first, second) = (a.drive(), b.drive());
    // Nobody is missed as long as there is nothing to send.
    a_while().await;
    assert_eq!((*first.role().borrow(), *second.role().borrow()), (Role::Waiting, Role::Waiting));
    each_arrives_once_in_order(&a, &b).await;
    assert_eq!(a.server.count(), 60);
    // Its context is gone: the lock passes on.
    drop(held);
    becomes(&first, Role::Leading).await;
    let txn_id = b.write("lobby", 20).await;
    b.reaches(&txn_id, PendingState::Sent).await;
}

#[wasm_bindgen_test]
async fn what_another_sends_beside_a_hanging_leader_is_not_taken_from_it() {
    let held = Lock::acquire("haos.leader.beside").await.unwrap();
    let a = Context::new("beside", &Stub::new(Mood::Hangs));
    let b = a.other().with(|options| options.patience_ms(90).grace_ms(HOUR_MS));
    let first = a.drive();
    let _second = b.drive();
    let txn_id = b.write("lobby", 0).await;
    b.reaches(&txn_id, PendingState::Sending).await;
    // It says so on a channel. Who is granted the lock before that is heard takes the row back: the server then
    // sees the same transaction id twice.
    a_while().await;
    drop(held);
    becomes(&first, Role::Leading).await;
    a_while().await;
    let row = a.row(&txn_id).await;
    assert_eq!((row.state, row.fence), (PendingState::Sending, 1));
    a.server.set(Mood::Up);
    a.reaches(&txn_id, PendingState::Sent).await;
    assert_eq!(a.server.calls(), 1);
}

#[wasm_bindgen_test]
async fn whoever_waits_can_be_stopped_or_dropped() {
    let a = Context::new("queue", &Stub::new(Mood::Up));
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let (stopped, dropped, last) = (a.other().drive(), a.other().drive(), a.other().drive());
    guarded("the end", stopped.stop(HOUR_MS)).await.unwrap();
    drop((dropped, first));
    becomes(&last, Role::Leading).await;
}

#[wasm_bindgen_test]
async fn a_leader_that_is_there_again_goes_on() {
    let _held = Lock::acquire("haos.leader.again").await.unwrap();
    let wakes = Rc::new(Cell::new(false));
    let reply = Rc::new(Channel::open("haos.leader.again", |_| {}).unwrap());
    let _leader = Channel::open("haos.leader.again", {
        let wakes = wakes.clone();
        move |message| {
            if wakes.get() && message.as_string().as_deref() == Some("ask") {
                reply.post(&JsValue::from("alive ")).unwrap();
            }
        }
    });
    let a =
        Context::new("again", &Stub::new(Mood::Hangs)).with(|options| options.patience_ms(90).grace_ms(0));
    let driving = a.drive();
    let txn_id = a.write("lobby", 0).await;
    becomes(&driving, Role::Sharing).await;
    a.reaches(&txn_id, PendingState::Sending).await;
    wakes.set(true);
    becomes(&driving, Role::Waiting).await;
    // Its begun row is the leader's again.
    a.reaches(&txn_id, PendingState::Queued).await;
}

#[wasm_bindgen_test]
async fn without_locks_every_context_sends_and_leases_keep_them_apart() {
    let _locks = Replaced::new("navigator", "locks", "undefined");
    let a = Context::new("lockless", &Stub::new(Mood::Up));
    let b = a.other();
    let (first, second) = (a.drive(), b.drive());
    becomes(&first, Role::Sharing).await;
    becomes(&second, Role::Sharing).await;
    each_arrives_once_in_order(&a, &b).await;
}

#[wasm_bindgen_test]
async fn without_channels_the_lock_alone_decides() {
    let _channels = Replaced::new("self", "BroadcastChannel", "undefined");
    let a = Context::new("mute", &Stub::new(Mood::Up)).with(|options| options.patience_ms(9));
    let b = a.other();
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let second = b.drive();
    each_arrives_once_in_order(&a, &b).await;
    assert_eq!(*second.role().borrow(), Role::Waiting);
    drop(first);
    becomes(&second, Role::Leading).await;
}

#[wasm_bindgen_test]
async fn without_locks_and_channels_everything_is_sent() {
    let _locks = Replaced::new("navigator", "locks", "undefined");
    let _channels = Replaced::new("self", "BroadcastChannel", "undefined");
    let a = Context::new("bare", &Stub::new(Mood::Up));
    let b = a.other();
    let _driving = (a.drive(), b.drive());
    each_arrives_once_in_order(&a, &b).await;
}

#[wasm_bindgen_test]
async fn a_store_that_is_closed_ends_it() {
    use haos_store_api::StorageAdapter as _;
    let a = Context::new("closed", &Stub::new(Mood::Up));
    let (mut first, mut second) = (a.drive(), a.other().drive());
    becomes(&first, Role::Leading).await;
    a.store.close().await.unwrap();
    for driving in [&mut first, &mut second] {
        // It is told of the end or of an error, depending on what it was doing.
        let _ = guarded("the end", driving.ended()).await;
        becomes(driving, Role::Ended).await;
    }
    drop(guarded("the lock", Lock::acquire("haos.leader.closed")).await.unwrap());
}
