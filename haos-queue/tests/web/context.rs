//! A context: an outbox of its own over the shared store, and what the browser tells it.

use std::sync::Arc;

use haos_queue::web::{DriveOptions, Driving, Role, drive};
use haos_queue::{BrowserHost, Draft, Driver, Outbox, OutboxOptions, RetryPolicy};
use haos_store_api::{
    EventType, Json, MemoryStore, Pending, PendingQuery, PendingState, RoomId, StorageAdapter as _, TxnId,
};
use haos_stub::Stub;
use haos_web::{sleep, timeout};
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};

/// The time after which something hangs.
const HANGS_MS: u32 = 30_000;

/// Longer than any test: what waits so long does not end by itself.
pub(crate) const HOUR_MS: u64 = 3_600_000;

#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) store: MemoryStore,
    pub(crate) outbox: Outbox,
    pub(crate) server: Stub,
    pub(crate) options: DriveOptions,
}

impl Context {
    /// A context over a new store. Leases and backoff do not end within a test. The word that there is no
    /// network is taken for true where a test says so itself.
    pub(crate) fn new(name: &str, server: &Stub) -> Self {
        let options = DriveOptions::new(name).patience_ms(HOUR_MS).offline_ms(0);
        Self::over(MemoryStore::new(), options, server)
    }

    /// Another context over the same store.
    pub(crate) fn other(&self) -> Self {
        Self::over(self.store.clone(), self.options.clone(), &self.server)
    }

    pub(crate) fn with(self, change: impl FnOnce(DriveOptions) -> DriveOptions) -> Self {
        Self { options: change(self.options), ..self }
    }

    fn over(store: MemoryStore, options: DriveOptions, server: &Stub) -> Self {
        let retry =
            RetryPolicy { base_ms: HOUR_MS, cap_ms: HOUR_MS, old_cap_ms: HOUR_MS, ..RetryPolicy::default() };
        let outbox_options =
            OutboxOptions { retry, lease_ms: HOUR_MS, renew_ms: HOUR_MS, ..OutboxOptions::default() };
        let host = Arc::new(BrowserHost);
        let outbox =
            Outbox::new(Arc::new(store.clone()), host, Arc::new(haos_queue::PlainProtocol), outbox_options)
                .unwrap();
        Self { store, outbox, server: server.clone(), options }
    }

    pub(crate) fn driver(&self) -> Driver {
        #[allow(clippy::arc_with_non_send_sync, reason = "there is one thread")]
        Driver::new(self.outbox.clone(), Arc::new(self.server.clone()), Stub::session())
    }

    pub(crate) fn drive(&self) -> Driving {
        drive(self.driver(), self.options.clone())
    }

    pub(crate) async fn write(&self, name: &str, body: usize) -> TxnId {
        let content = Json::new(format!(r#"{{"body":"{body}"}}"#)).unwrap();
        let draft = Draft::new(room(name), EventType::new("m.room.message").unwrap(), content);
        self.outbox.enqueue(draft).await.unwrap().txn_id
    }

    pub(crate) async fn row(&self, txn_id: &TxnId) -> Pending {
        let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
        self.store.pending(query).await.unwrap().pop().unwrap()
    }

    /// Waits until a row is in a state.
    pub(crate) async fn reaches(&self, txn_id: &TxnId, state: PendingState) -> Pending {
        guarded("a row's state", async {
            let mut changes = self.store.changes();
            loop {
                let row = self.row(txn_id).await;
                if row.state == state {
                    return row;
                }
                changes.next().await.unwrap();
            }
        })
        .await
    }
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(format!("!{name}")).unwrap()
}

/// Waits for what must happen.
pub(crate) async fn guarded<T>(what: &str, wait: impl Future<Output = T>) -> T {
    timeout(wait, HANGS_MS).await.unwrap_or_else(|| panic!("it never came to: {what}"))
}

/// Waits until a context has this role.
pub(crate) async fn becomes(driving: &Driving, wanted: Role) {
    let mut role = driving.role();
    guarded(&format!("{wanted:?}"), role.wait_for(|role| *role == wanted)).await.unwrap();
}

/// Waits until it is so.
pub(crate) async fn until(what: &str, mut wish: impl FnMut() -> bool) {
    guarded(what, async {
        while !wish() {
            sleep(2).await;
        }
    })
    .await;
}

/// Time for what must not happen to happen all the same. A slow machine makes it miss that, not find it.
pub(crate) async fn a_while() {
    sleep(150).await;
}

/// Replaces a property of the browser while it lives.
pub(crate) struct Replaced {
    object: Object,
    property: JsValue,
    /// Its own; none where it came from the prototype.
    before: JsValue,
}

impl Replaced {
    pub(crate) fn new(object: &str, property: &str, value: &str) -> Self {
        let object: Object = js_sys::eval(object).unwrap().unchecked_into();
        let property = JsValue::from(property);
        let before = Object::get_own_property_descriptor(&object, &property);
        let after =
            js_sys::eval(&format!("({{ value: {value}, configurable: true, writable: true }})")).unwrap();
        assert!(Reflect::define_property(&object, &property, after.unchecked_ref()).unwrap());
        Self { object, property, before }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        if self.before.is_undefined() {
            Reflect::delete_property(&self.object, &self.property).unwrap();
        } else {
            Reflect::define_property(&self.object, &self.property, self.before.unchecked_ref()).unwrap();
        }
    }
}

/// Sends this context an event, as the browser does.
pub(crate) fn happens(event: &str) {
    js_sys::eval(&format!("self.dispatchEvent(new Event('{event}'))")).unwrap();
}
