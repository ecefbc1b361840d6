//! The actions of a window's page.

use haos_store_api::{Change, Revision};
use haos_web::Beacon;
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::wasm_bindgen_test;
use web_sys::{Event, EventTarget};

use crate::canary::{census, missing, unique, until_missing};
use crate::contexts::{context, room};
use crate::durability::{Canary, StoreId, forget};

fn in_window() -> bool {
    Reflect::has(&js_sys::global(), &"document".into()).unwrap()
}

fn run(code: &str) -> JsValue {
    Function::new_no_args(code).call0(&JsValue::UNDEFINED).unwrap()
}

fn dispatch(target: &str, event: &str) {
    let target: EventTarget = run(&format!("return {target}")).unchecked_into();
    target.dispatch_event(run(&format!("return {event}")).unchecked_ref::<Event>()).unwrap();
}

#[wasm_bindgen_test]
async fn page_that_goes_writes_its_mark() {
    if !in_window() {
        return;
    }
    let name = unique("goes");
    let canary = Canary::start(&name, StoreId::random());
    canary.note(census(4, 0, 7));
    let beacon = Beacon::new(format!("canary/{name}"));
    assert_eq!(beacon.read_now(), None, "not yet");
    dispatch("window", "new PageTransitionEvent('pagehide')");
    assert!(beacon.read_now().is_some(), "before the event is over");
    assert_eq!(missing(&name, None).await, Some((4, 0)));
    drop(canary);
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn what_is_not_urgent_is_written_late() {
    if !in_window() {
        return;
    }
    let name = unique("lazy");
    let canary = Canary::start(&name, StoreId::random());
    for rooms in 1..10 {
        canary.note(census(rooms, 0, rooms));
    }
    until_missing(&name, (9, 0)).await;
    canary.note(census(8, 0, 10));
    assert_eq!(missing(&name, None).await, Some((9, 0)), "not yet");
    until_missing(&name, (8, 0)).await;
    forget(&name).await;
}

/// Removes the storage that an eviction takes, the Cache API with IndexedDB, and leaves `localStorage`.
async fn evict() {
    let gone: js_sys::Promise = run("return caches.delete('haos-beacon')").unchecked_into();
    gone.await.unwrap();
}

#[wasm_bindgen_test]
async fn evicted_store_that_a_worker_made_again_is_reported() {
    if !in_window() {
        return;
    }
    let (name, old, new) = (unique("evicted"), StoreId::random(), StoreId::random());
    let canary = Canary::start(&name, old);
    canary.note(census(3, 2, 50));
    canary.flush().await;
    drop(canary);
    evict().await;
    assert_eq!(missing(&name, None).await, Some((3, 2)), "a window that comes first");
    // A worker that comes first sees nothing, and leaves its own mark.
    let cache = format!(
        "return caches.open('haos-beacon').then((cache) => cache.put(
            '/.haos-beacon/canary%2F{name}', new Response('haos-canary/1 {new} 1 0 4 9999999999999')))"
    );
    run(&cache).unchecked_into::<js_sys::Promise>().await.unwrap();
    assert_eq!(missing(&name, Some(new)).await, Some((3, 2)), "a window that comes second");
    // Until this window commits.
    let canary = Canary::start(&name, new);
    canary.note(census(2, 0, 5));
    canary.flush().await;
    assert_eq!(missing(&name, Some(new)).await, None);
    assert_eq!(missing(&name, None).await, Some((2, 0)));
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn store_deleted_by_a_worker_is_not_missed() {
    if !in_window() {
        return;
    }
    let (name, id) = (unique("by-a-worker"), StoreId::random());
    let canary = Canary::start(&name, id);
    canary.note(census(3, 2, 50));
    canary.flush().await;
    drop(canary);
    // A worker has no `localStorage`.
    run(
        "Object.defineProperty(self, 'hidden', { value: Object.getOwnPropertyDescriptor(self, 'localStorage'), \
         configurable: true }); Object.defineProperty(self, 'localStorage', { value: undefined, configurable: true })",
    );
    forget(&name).await;
    run("Object.defineProperty(self, 'localStorage', self.hidden); delete self.hidden");
    assert_eq!(missing(&name, None).await, None);
    assert!(Beacon::new(format!("canary/{name}")).read_now().is_some(), "though it is still there");
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn page_that_comes_back_reads_again() {
    if !in_window() {
        return;
    }
    let mut a = context("back", StoreId::random());
    dispatch("window", "new PageTransitionEvent('pageshow', { persisted: false })");
    assert_eq!(a.changes.try_next(), None, "the first show of a page");
    for (target, event) in [
        ("window", "new PageTransitionEvent('pageshow', { persisted: true })"),
        ("document", "new Event('resume')"),
    ] {
        dispatch(target, event);
        assert_eq!(a.changes.try_next(), Some(Change::Resync { revision: Revision(4) }), "{event}");
    }
}

#[wasm_bindgen_test]
async fn worker_is_heard() {
    if !in_window() {
        return;
    }
    let id = StoreId::random();
    let mut a = context("worker", id);
    // It answers a commit with the next one, of the same entries.
    let code = format!(
        "const channel = new BroadcastChannel('haos-feed/{id}/worker');
        channel.onmessage = ({{ data }}) => {{
            const parts = data.split('\\0');
            parts[2] = String(Number(parts[2]) + 1);
            channel.postMessage(parts.join('\\0'));
        }};
        channel.postMessage('haos\\x001\\x005\\0e');"
    );
    let text = js_sys::JSON::stringify(&code.into()).unwrap();
    let worker = run(&format!("return new Worker(URL.createObjectURL(new Blob([{text}])))"));
    assert_eq!(a.changes.next().await.map(|change| change.revision()), Some(Revision(5)));
    a.feed.tell(Revision(6), room("!r"));
    let told = [a.changes.next().await, a.changes.next().await];
    let touched: std::sync::Arc<[_]> = room("!r").into_iter().collect();
    let commit = |n| Some(Change::Commit { revision: Revision(n), touched: touched.clone() });
    assert_eq!(told, [commit(6), commit(7)]);
    drop(worker);
}
