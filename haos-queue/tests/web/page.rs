//! Events of pages: seen, left, frozen. Workers hear nothing of it, and need nothing of it.

use haos_queue::web::Role;
use haos_store_api::PendingState;
use haos_stub::{Mood, Stub};
use haos_web::Lock;
use js_sys::Reflect;
use wasm_bindgen_test::wasm_bindgen_test;

use crate::context::{Context, Replaced, becomes, guarded, happens, until};

/// No worker hears of any of it.
fn in_window() -> bool {
    Reflect::has(&js_sys::global(), &"document".into()).unwrap()
}

/// Sends this page an event, as the browser does.
fn tells(target: &str, event: &str) {
    js_sys::eval(&format!("{target}.dispatchEvent({event})")).unwrap();
}

/// A leading page hears `gone`: it must let go of the lock. Then `back`: it must lead and send again.
async fn lets_go_and_comes_back(name: &str, gone: (&str, &str), back: (&str, &str)) {
    let a = Context::new(name, &Stub::new(Mood::Hangs));
    let driving = a.drive();
    let txn_id = a.write("lobby", 0).await;
    until("a request", || a.server.calls() == 1).await;
    tells(gone.0, gone.1);
    becomes(&driving, Role::Suspended).await;
    drop(guarded("the lock", Lock::acquire(&format!("haos.leader.{name}"))).await.unwrap());
    a.server.set(Mood::Up);
    tells(back.0, back.1);
    becomes(&driving, Role::Leading).await;
    let row = a.reaches(&txn_id, PendingState::Sent).await;
    assert_eq!((row.fence, a.server.count()), (2, 1));
}

#[wasm_bindgen_test]
async fn a_page_lets_go_before_it_is_frozen() {
    if !in_window() {
        return;
    }
    let freeze = ("document", "new Event('freeze')");
    lets_go_and_comes_back("frozen", freeze, ("document", "new Event('resume')")).await;
}

#[wasm_bindgen_test]
async fn a_page_lets_go_before_it_enters_the_back_forward_cache() {
    if !in_window() {
        return;
    }
    let hide = ("self", "new PageTransitionEvent('pagehide', { persisted: true })");
    let show = ("self", "new PageTransitionEvent('pageshow', { persisted: true })");
    lets_go_and_comes_back("cached", hide, show).await;
}

#[wasm_bindgen_test]
async fn another_page_goes_on_where_one_is_frozen() {
    if !in_window() {
        return;
    }
    let a = Context::new("other", &Stub::new(Mood::Hangs));
    let first = a.drive();
    let txn_id = a.write("lobby", 0).await;
    until("a request", || a.server.calls() == 1).await;
    a.server.set(Mood::Up);
    tells("document", "new Event('freeze')");
    becomes(&first, Role::Suspended).await;
    let b = a.other();
    let second = b.drive();
    becomes(&second, Role::Leading).await;
    b.reaches(&txn_id, PendingState::Sent).await;
    tells("document", "new Event('resume')");
    becomes(&first, Role::Waiting).await;
}

#[wasm_bindgen_test]
async fn a_page_that_is_seen_tries_at_once() {
    if !in_window() {
        return;
    }
    let a = Context::new("seen", &Stub::new(Mood::Down));
    let _driving = a.drive();
    let txn_id = a.write("lobby", 0).await;
    until("an attempt", || a.server.calls() == 1).await;
    a.reaches(&txn_id, PendingState::Queued).await;
    a.server.set(Mood::Up);
    let _visible = Replaced::new("document", "visibilityState", "'visible'");
    tells("document", "new Event('visibilitychange')");
    a.reaches(&txn_id, PendingState::Sent).await;
}

#[wasm_bindgen_test]
async fn a_page_that_is_hidden_or_offline_with_something_left_asks_for_a_background_sync() {
    if !in_window() {
        return;
    }
    let fake =
        "({ getRegistration: async () => ({ sync: { register: async tag => { self.asked = tag; } } }) })";
    let _worker = Replaced::new("navigator", "serviceWorker", fake);
    let asked = || js_sys::eval("self.asked").unwrap().as_string();
    let a = Context::new("asks", &Stub::new(Mood::Down)).with(|options| options.sync_tag("tag"));
    let _driving = a.drive();
    a.write("lobby", 0).await;
    until("an attempt", || a.server.calls() == 1).await;
    happens("offline");
    until("a wish", || asked().as_deref() == Some("tag")).await;
    js_sys::eval("delete self.asked").unwrap();
    let _hidden = Replaced::new("document", "visibilityState", "'hidden'");
    tells("document", "new Event('visibilitychange')");
    until("a wish", || asked().as_deref() == Some("tag")).await;
    js_sys::eval("delete self.asked").unwrap();
}
