//! A service worker's work when the browser wakes it up; it works in every context.

use haos_queue::PauseReason;
use haos_queue::web::{Remaining, Role, on_sync, register_background_sync};
use haos_store_api::{ParkReason, PendingState};
use haos_stub::{Mood, Stub};
use wasm_bindgen_test::wasm_bindgen_test;

use super::context::{Context, HOUR_MS, becomes, guarded, until};

#[wasm_bindgen_test]
async fn what_is_left_is_sent_before_it_ends() {
    let a = Context::new("sync", &Stub::new(Mood::Up));
    let mut rows = Vec::new();
    for n in 0..10 {
        rows.push(a.write("lobby", n).await);
    }
    let remaining = guarded("the end", on_sync(a.driver(), a.options.clone(), HOUR_MS)).await;
    assert_eq!(remaining.unwrap(), Remaining::Nothing);
    assert_eq!((a.server.count(), a.server.calls()), (10, 10));
    assert_eq!(a.row(&rows[9]).await.state, PendingState::Sent);
}

#[wasm_bindgen_test]
async fn at_the_deadline_it_says_that_rows_remain_and_keeps_none() {
    for mood in [Mood::Down, Mood::Hangs] {
        let a = Context::new("deadline", &Stub::new(mood));
        let txn_id = a.write("lobby", 0).await;
        let remaining = guarded("the end", on_sync(a.driver(), a.options.clone(), 300)).await;
        assert_eq!(remaining.unwrap(), Remaining::Rows);
        let row = a.row(&txn_id).await;
        assert_eq!((row.state, row.lease), (PendingState::Queued, None));
    }
}

#[wasm_bindgen_test]
async fn a_page_that_leads_sends_and_the_worker_waits_for_it() {
    let page = Context::new("page", &Stub::new(Mood::Down));
    let driving = page.drive();
    becomes(&driving, Role::Leading).await;
    let txn_id = page.write("lobby", 0).await;
    until("an attempt", || page.server.calls() == 1).await;
    page.reaches(&txn_id, PendingState::Queued).await;
    page.server.set(Mood::Up);
    // The page's backoff would last an hour: that the browser woke the worker ends it.
    let worker = page.other();
    let remaining = guarded("the end", on_sync(worker.driver(), worker.options.clone(), HOUR_MS)).await;
    assert_eq!(remaining.unwrap(), Remaining::Nothing);
    assert_eq!((page.server.count(), *driving.role().borrow()), (1, Role::Leading));
}

#[wasm_bindgen_test]
async fn what_waits_for_the_user_does_not_remain() {
    let a = Context::new("parked", &Stub::new(Mood::Refuses));
    let head = a.write("lobby", 0).await;
    let behind = a.write("lobby", 1).await;
    let remaining = guarded("the end", on_sync(a.driver(), a.options.clone(), HOUR_MS)).await;
    assert_eq!(remaining.unwrap(), Remaining::Nothing);
    assert!(matches!(a.row(&head).await.state, PendingState::Parked(ParkReason::Invalid)));
    assert_eq!(a.row(&behind).await.state, PendingState::Queued);

    let b = Context::new("paused", &Stub::new(Mood::Up));
    b.outbox.pause(None, PauseReason::User).await.unwrap();
    b.write("lobby", 0).await;
    let remaining = guarded("the end", on_sync(b.driver(), b.options.clone(), HOUR_MS)).await;
    assert_eq!((remaining.unwrap(), b.server.calls()), (Remaining::Nothing, 0));
}

#[wasm_bindgen_test]
async fn asking_for_a_background_sync_is_answered_everywhere() {
    // The browser's decision is its own affair: it must neither throw nor hang.
    let taken = guarded("an answer", register_background_sync("haos.outbox")).await;
    let known = js_sys::eval("typeof SyncManager === 'function'").unwrap().is_truthy();
    assert!(known || !taken);
}
