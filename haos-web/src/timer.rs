//! Timers.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::js;

/// The longest time that `setTimeout` takes; a longer one fires at once.
const LONGEST_MS: u32 = i32::MAX as u32;

/// Waits `ms` milliseconds from now, at least.
///
/// Browsers add to it: 4 ms to nested timers, up to a minute in hidden pages, and all the time that a page is
/// frozen. Dropping it clears the timer. Where there are no timers at all (a worklet) it never ends.
pub fn sleep(ms: u32) -> Sleep {
    let shared = Rc::new(Shared::default());
    let fire = Closure::new({
        let shared = shared.clone();
        move || shared.fire()
    });
    let mut sleep = Sleep { shared, fire, left_ms: ms, timer: JsValue::UNDEFINED };
    sleep.arm();
    sleep
}

/// The output of `future`, or `None` if `ms` milliseconds were over first. The future is dropped then.
pub async fn timeout<F: Future>(future: F, ms: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut limit = pin!(sleep(ms));
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

/// The future of [`sleep`].
#[derive(Debug)]
#[must_use = "a future does nothing until it is awaited"]
pub struct Sleep {
    shared: Rc<Shared>,
    fire: Closure<dyn FnMut()>,
    left_ms: u32,
    timer: JsValue,
}

#[derive(Debug, Default)]
struct Shared {
    fired: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Shared {
    fn fire(&self) {
        self.fired.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Sleep {
    fn arm(&mut self) {
        let step_ms = self.left_ms.min(LONGEST_MS);
        self.left_ms -= step_ms;
        let arguments = [self.fire.as_ref().unchecked_ref(), &JsValue::from(step_ms)];
        self.timer =
            js::call("setTimeout", &js_sys::global(), "setTimeout", &arguments).unwrap_or(JsValue::UNDEFINED);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.shared.fired.get() {
            if self.left_ms == 0 {
                return Poll::Ready(());
            }
            self.shared.fired.set(false);
            self.arm();
        }
        self.shared.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if !self.shared.fired.get() {
            let _ = js::call("clearTimeout", &js_sys::global(), "clearTimeout", &[&self.timer]);
        }
    }
}
