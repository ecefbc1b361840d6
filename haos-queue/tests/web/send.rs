//! Sending: once each, in order, and at once where there is reason to.

use haos_queue::web::{DriveOptions, Role};
use haos_queue::{BrowserHost, Host as _, SyncState};
use haos_store_api::PendingState;
use haos_stub::{Mood, Stub};
use wasm_bindgen_test::wasm_bindgen_test;

use super::context::{Context, HOUR_MS, Replaced, a_while, becomes, guarded, happens, room, until};

/// Two contexts write in turn to two rooms; the server must have each message once, in the rooms' order.
pub(crate) async fn each_arrives_once_in_order(a: &Context, b: &Context) {
    let (mut lobby, mut attic) = (Vec::new(), Vec::new());
    for n in 0..20 {
        lobby.push(a.write("lobby", n).await);
        lobby.push(b.write("lobby", n).await);
        attic.push(b.write("attic", n).await);
    }
    until("all sent", || a.server.count() >= 60).await;
    assert_eq!(a.server.taken(&room("lobby")), lobby);
    assert_eq!(a.server.taken(&room("attic")), attic);
    for txn_id in lobby.iter().chain(&attic) {
        a.reaches(txn_id, PendingState::Sent).await;
    }
}

#[wasm_bindgen_test]
async fn one_of_two_contexts_leads_and_each_message_is_sent_once() {
    let a = Context::new("once", &Stub::new(Mood::Up));
    let b = a.other();
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let second = b.drive();
    each_arrives_once_in_order(&a, &b).await;
    assert_eq!((*first.role().borrow(), *second.role().borrow()), (Role::Leading, Role::Waiting));
    assert_eq!(a.server.calls(), 60, "nothing was sent again");
    guarded("the end", first.stop(1000)).await.unwrap();
    becomes(&second, Role::Leading).await;
}

#[wasm_bindgen_test]
async fn coming_online_sends_at_once_what_waits_for_its_backoff() {
    let a = Context::new("online", &Stub::new(Mood::Down));
    let _driving = a.drive();
    let txn_id = a.write("lobby", 0).await;
    until("an attempt", || a.server.calls() == 1).await;
    a.reaches(&txn_id, PendingState::Queued).await;
    a.server.set(Mood::Up);
    happens("online");
    a.reaches(&txn_id, PendingState::Sent).await;
}

#[wasm_bindgen_test]
async fn offline_no_attempt_is_wasted() {
    let a = Context::new("offline", &Stub::new(Mood::Up)).with(|options| options.offline_ms(HOUR_MS));
    let offline = Replaced::new("navigator", "onLine", "false");
    let driving = a.drive();
    becomes(&driving, Role::Leading).await;
    let txn_id = a.write("lobby", 0).await;
    a_while().await;
    assert_eq!(a.server.calls(), 0);
    drop(offline);
    let _online = Replaced::new("navigator", "onLine", "true");
    happens("online");
    a.reaches(&txn_id, PendingState::Sent).await;

    happens("offline");
    let txn_id = a.write("lobby", 1).await;
    a_while().await;
    assert_eq!(a.server.calls(), 1);
    // The user may know better than the browser.
    a.outbox.try_now();
    a.reaches(&txn_id, PendingState::Sent).await;
}

#[wasm_bindgen_test]
async fn a_browser_that_is_wrong_about_the_network_is_not_believed_for_long() {
    let a = Context::new("wrong", &Stub::new(Mood::Up)).with(|options| options.offline_ms(50));
    let _offline = Replaced::new("navigator", "onLine", "false");
    let _driving = a.drive();
    let txn_id = a.write("lobby", 0).await;
    a.reaches(&txn_id, PendingState::Sent).await;
}

/// As in a worker that began without a network, and is never told of its return: Chromium.
#[wasm_bindgen_test]
async fn a_browser_is_not_believed_once_the_sync_has_heard_of_the_server() {
    let a = Context::new("heard", &Stub::new(Mood::Up)).with(|options| options.offline_ms(HOUR_MS));
    let b = a.other();
    let _offline = Replaced::new("navigator", "onLine", "false");
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let _second = b.drive();
    for (n, syncing) in [&a, &b].into_iter().enumerate() {
        happens("offline");
        let txn_id = a.write("lobby", n).await;
        a_while().await;
        assert_eq!(a.server.calls(), n);
        syncing.outbox.sync_state(SyncState::Connecting);
        syncing.outbox.sync_state(SyncState::Live);
        a.reaches(&txn_id, PendingState::Sent).await;
    }
}

#[wasm_bindgen_test]
async fn a_wish_in_a_waiting_context_reaches_the_one_that_sends() {
    let a = Context::new("wish", &Stub::new(Mood::Down));
    let b = a.other();
    let first = a.drive();
    becomes(&first, Role::Leading).await;
    let _second = b.drive();
    let txn_id = b.write("lobby", 0).await;
    until("an attempt", || a.server.calls() > 0).await;
    a.reaches(&txn_id, PendingState::Queued).await;
    a.server.set(Mood::Up);
    b.outbox.try_now();
    a.reaches(&txn_id, PendingState::Sent).await;
}

#[wasm_bindgen_test]
async fn the_host_has_clock_timer_and_chance() {
    let before_ms = BrowserHost.now_ms();
    assert!(before_ms > 1_600_000_000_000);
    guarded("a timer", BrowserHost.sleep(1)).await;
    assert_ne!(BrowserHost.random(), BrowserHost.random());
}

#[wasm_bindgen_test]
fn the_defaults_are_those_of_the_docs() {
    let options = DriveOptions::new("account");
    assert_eq!((options.patience_ms, options.grace_ms, options.offline_ms), (15_000, 5000, 60_000));
    assert_eq!(options.sync_tag, None);
}
