//! Background Sync: a hint that the browser gives to a service worker, where there is one.

use haos_store_api::{Error, ErrorKind, Result};
use haos_web::timeout;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::left::is_left;
use super::{DriveOptions, drive};
use crate::{Driver, Outbox};

/// How long changes gather before the outbox is looked at, in milliseconds.
const GATHER_MS: u64 = 50;
/// How often it is looked at without a change, for browsers in which changes of other contexts are not told.
const LOOK_MS: u32 = 2000;

/// The rest of the work after [`on_sync`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "where rows remain, the event's promise must be rejected"]
#[non_exhaustive]
pub enum Remaining {
    /// Everything that can be sent is sent.
    Nothing,
    /// There are rows left: reject the event's promise, so that the browser tries again later.
    Rows,
}

/// Sends until nothing is left or `deadline_ms` milliseconds are over: for a service worker's `sync` event, and
/// for any other event (`push`, `message`) that keeps it alive for a while.
///
/// A page that leads may send instead; then this waits for it. Rows that wait for the user (parked, paused, or
/// behind such) are not left.
///
/// # Errors
/// Those of the store; `Closed` if it must be opened again.
pub async fn on_sync(driver: Driver, options: DriveOptions, deadline_ms: u64) -> Result<Remaining> {
    let outbox = driver.outbox.clone();
    let over = outbox.host().sleep(deadline_ms);
    // Where something remains, the browser comes again by itself.
    let mut driving = drive(driver, DriveOptions { sync_tag: None, ..options });
    tokio::select! {
        biased;
        ended = driving.ended() => ended?,
        drained = drained(&outbox) => {
            drained?;
            driving.stop(0).await?;
        }
        () = over => driving.stop(0).await?,
    }
    Ok(if is_left(&outbox).await? { Remaining::Rows } else { Remaining::Nothing })
}

/// Waits until nothing is left to send, by whatever context.
async fn drained(outbox: &Outbox) -> Result<()> {
    let mut changes = outbox.store().changes();
    while is_left(outbox).await? {
        if timeout(changes.next(), LOOK_MS).await == Some(None) {
            return Err(Error::new(ErrorKind::Closed, "on_sync", "the store was closed: open it again"));
        }
        outbox.host().sleep(GATHER_MS).await;
        while changes.try_next().is_some() {}
    }
    Ok(())
}

/// Asks the browser for a `sync` event with this tag when there is a network, even if every page is closed then.
/// Registers it; false if the browser refuses. Chromium takes it in a service worker, and in a window whose origin has
/// one. Where there is a network already, the event comes at once.
pub async fn register_background_sync(tag: &str) -> bool {
    register(tag).await.is_some()
}

/// Asks for it where something is left to send, without anybody waiting for it.
pub(super) fn ask_if_left(outbox: Outbox, tag: String) {
    spawn_local(async move {
        if is_left(&outbox).await.unwrap_or(true) && !register_background_sync(&tag).await {
            tracing::debug!("no Background Sync here");
        }
    });
}

async fn register(tag: &str) -> Option<()> {
    let sync = get(&registration().await?, "sync")?;
    call(&sync, "register", &[&JsValue::from(tag)]).await.map(drop)
}

/// This context's service worker: itself, or the page's.
async fn registration() -> Option<JsValue> {
    let global: JsValue = js_sys::global().into();
    // In a window any element may be called so.
    if get(&global, "document").is_none()
        && let Some(own) = get(&global, "registration")
    {
        return Some(own);
    }
    // `ready` would wait for ever without one.
    call(&get(&get(&global, "navigator")?, "serviceWorker")?, "getRegistration", &[]).await
}

/// The property, unless it is missing or refused.
fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &JsValue::from(name)).ok()?;
    (!value.is_undefined() && !value.is_null()).then_some(value)
}

/// Returns the result of the promise `object.method(...arguments)`; `None` where it is missing or refused.
async fn call(object: &JsValue, method: &str, arguments: &[&JsValue]) -> Option<JsValue> {
    let function: Function = get(object, method)?.dyn_into().ok()?;
    let promise = function.apply(object, &arguments.iter().copied().collect()).ok()?;
    JsFuture::from(Promise::resolve(&promise)).await.ok()
}
