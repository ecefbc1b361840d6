//! The means of browsers, in whatever context this runs.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod beacon;
mod channel;
mod event;
mod lock;
mod missing;
mod quota;
mod timer;
mod window;

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use haos_web::sleep;
use js_sys::Reflect;

/// Tells if this runs in a window, for tests of what no worker has.
pub(crate) fn in_window() -> bool {
    Reflect::has(&js_sys::global(), &"document".into()).unwrap()
}

/// A name that no other test and no earlier run uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}-{}", haos_web::now_ms(), js_sys::Math::random())
}

/// Waits until `done`; the runner's own limit ends a test that waits for nothing.
pub(crate) async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        sleep(5).await;
    }
}

/// A counter to share with a callback.
pub(crate) fn counter() -> Rc<Cell<u32>> {
    Rc::default()
}

/// A waker that counts how often it is called.
#[derive(Default)]
pub(crate) struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Wakes {
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Polls once.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F, wakes: &Arc<Wakes>) -> Poll<F::Output> {
    let waker = Waker::from(wakes.clone());
    std::pin::Pin::new(future).poll(&mut Context::from_waker(&waker))
}
