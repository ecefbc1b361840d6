//! A web application's code: a page that sends, and a service worker that the browser wakes up. The store is
//! whatever both open under one name.

use std::sync::Arc;

use haos_queue::web::{DriveOptions, Driving, Remaining, drive, on_sync, register_background_sync};
use haos_queue::{BrowserHost, Driver, Outbox, OutboxOptions, Protocol, Session, Transport};
use haos_store_api::{MemoryStore, Result, StorageAdapter};
use haos_stub::{Mood, Stub};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use wasm_bindgen_test::wasm_bindgen_test;

/// The store's name, and the tag of the Background Sync.
const ACCOUNT: &str = "example";
const TAG: &str = "haos.outbox";

/// The account, in whatever context.
fn account(
    store: Arc<dyn StorageAdapter>,
    protocol: Arc<dyn Protocol>,
    transport: Arc<dyn Transport>,
    session: Session,
) -> Result<Driver> {
    let outbox = Outbox::new(store, Arc::new(BrowserHost), protocol, OutboxOptions::default())?;
    Ok(Driver::new(outbox, transport, session))
}

/// A page's start. The application keeps the value; when it is dropped, this page stops sending.
fn start(driver: Driver) -> Driving {
    drive(driver, DriveOptions::new(ACCOUNT).sync_tag(TAG))
}

/// The promise of the service worker's `sync` listener for `event.waitUntil`.
fn sync(driver: Driver) -> Promise {
    future_to_promise(async move {
        match on_sync(driver, DriveOptions::new(ACCOUNT), 60_000).await {
            Ok(Remaining::Nothing) => Ok(JsValue::UNDEFINED),
            // The browser tries again.
            Ok(_) => Err(JsValue::from("messages are left to send")),
            Err(e) => Err(JsValue::from(e.to_string())),
        }
    })
}

#[wasm_bindgen_test]
async fn a_page_and_a_service_worker() {
    let store = Arc::new(MemoryStore::new());
    let server = Arc::new(Stub::new(Mood::Up));
    let driver = || {
        account(store.clone(), Arc::new(haos_queue::PlainProtocol), server.clone(), Stub::session()).unwrap()
    };
    let driving = start(driver());
    // Optional, and false where there is no such thing: the page asks by itself when it is hidden.
    let _ = register_background_sync(TAG).await;
    JsFuture::from(sync(driver())).await.unwrap();
    driving.stop(1000).await.unwrap();
}
