//! Locks between the contexts of an origin.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use crate::{WebError, js};

const API: &str = "navigator.locks";

/// Tells if this context has Web Locks. Pages without secure context lack them.
pub fn locks_available() -> bool {
    js::navigator("locks").is_some()
}

/// An exclusive lock of this origin, held until it is dropped.
///
/// The browser frees the lock of a context that ends: a closed tab, a stopped worker, a crash. A page that is
/// frozen may keep its lock, so whoever leads by one needs a lease besides, and may [`steal`](Self::steal) the
/// lock once the lease is over. Two requests of one context exclude each other as well. The lock is free for
/// others soon after the drop, not at once.
#[derive(Debug)]
#[must_use = "the lock is free when this is dropped"]
pub struct Lock {
    release: Function,
    lost: Rc<Cell<bool>>,
}

impl Lock {
    /// The lock `name` if it is free now, or `None`.
    ///
    /// # Errors
    /// `Missing` where there are no Web Locks; `Refused` by an origin that may not store.
    pub async fn try_acquire(name: &str) -> Result<Option<Self>, WebError> {
        request(name, &js::options("ifAvailable", &JsValue::TRUE)).await
    }

    /// The lock `name`, in the order in which contexts asked for it. Dropping the future withdraws the request.
    ///
    /// # Errors
    /// `Missing` where there are no Web Locks; `Refused` by an origin that may not store.
    pub async fn acquire(name: &str) -> Result<Self, WebError> {
        let mut withdraw = Withdraw(Some(js::construct("AbortController", &[])?));
        let signal = withdraw.0.as_ref().and_then(|controller| js::get(controller, "signal"));
        let options = js::options("signal", &signal.unwrap_or(JsValue::UNDEFINED));
        let lock = request(name, &options).await?;
        withdraw.0 = None;
        // Only a request that does not wait is answered without a lock.
        lock.ok_or(WebError::Missing { api: API })
    }

    /// The lock `name` at once, before all who wait, taken from whoever holds it, who has
    /// [lost](Self::is_lost) it.
    ///
    /// # Errors
    /// `Missing` where there are no Web Locks; `Refused` by an origin that may not store.
    pub async fn steal(name: &str) -> Result<Self, WebError> {
        let lock = request(name, &js::options("steal", &JsValue::TRUE)).await?;
        lock.ok_or(WebError::Missing { api: API })
    }

    /// Tells if somebody stole it. The holder learns of it some time later, a frozen one when it runs again.
    pub fn is_lost(&self) -> bool {
        self.lost.get()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The function that settles a promise does not throw.
        let _ = self.release.call0(&JsValue::UNDEFINED);
    }
}

/// Aborts the request unless it is disarmed.
struct Withdraw(Option<JsValue>);

impl Drop for Withdraw {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            let _ = js::call("AbortController", controller, "abort", &[]);
        }
    }
}

async fn request(name: &str, options: &JsValue) -> Result<Option<Lock>, WebError> {
    let locks = js::navigator("locks").ok_or(WebError::Missing { api: API })?;
    let (held, release) = promise();
    let (granted, grant) = promise();
    // From here on a dropped future releases what may still be granted to it.
    let lock = Lock { release, lost: Rc::default() };
    let callback = Closure::once(move |lock: JsValue| -> JsValue {
        let _ = grant.call1(&JsValue::UNDEFINED, &JsValue::from(!lock.is_null()));
        // The browser holds the lock until this promise is settled.
        held
    });
    // A request that was withdrawn never calls it: the garbage collector frees it then.
    let callback = callback.into_js_value();
    let done = js::call(API, &locks, "request", &[&name.into(), options, &callback])?;
    // `done` is settled first only by a refusal.
    let first = Promise::race(&Array::of2(&granted, &done));
    let granted = JsFuture::from(first).await.map_err(|exception| WebError::refused(API, &exception))?;
    if granted != JsValue::TRUE {
        return Ok(None);
    }
    // Once granted, it fails only by theft; after the release it is fulfilled.
    let lost = lock.lost.clone();
    spawn_local(async move {
        if JsFuture::from(Promise::resolve(&done)).await.is_err() {
            lost.set(true);
        }
    });
    Ok(Some(lock))
}

/// A promise and the function that fulfils it.
fn promise() -> (JsValue, Function) {
    // Not a function that is replaced: to make one from nothing is `eval`, which a page's policy may forbid.
    let mut fulfil = JsValue::UNDEFINED;
    let promise = Promise::new(&mut |resolve, _| fulfil = resolve.into());
    (promise.into(), fulfil.unchecked_into())
}
