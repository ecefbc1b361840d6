//! The events of one transaction and of all its requests, told by one closure.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

use haos_store_api::Error;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, IdbRequest, IdbTransaction};

use crate::error::{Failure, js_error, js_failure};

/// The name of an error that reports the abort of a transaction without the reason.
const ABORTED: &str = "AbortError";

/// The end of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// `oncomplete`: its writes are stored.
    Complete,
    /// `onabort`: none of it is stored.
    Aborted,
}

/// The shared part of a transaction, its stores and its requests.
///
/// Requests answer in the order in which they were made, so awaited ones stand in a queue and an event is nearly always
/// about the first. That spares a closure for each.
pub(super) struct Events {
    pub(super) tx: IdbTransaction,
    pub(super) operation: &'static str,
    state: RefCell<Awaited>,
    handler: RefCell<Option<Handler>>,
}

type Handler = Closure<dyn FnMut(Event)>;

#[derive(Default)]
struct Awaited {
    waiting: VecDeque<Rc<Slot>>,
    outcome: Option<Outcome>,
    /// The first request that failed, and whose error nobody may have awaited.
    failed: Option<IdbRequest>,
    waker: Option<Waker>,
}

/// A request that a caller awaits.
pub(super) struct Slot {
    pub(super) request: IdbRequest,
    answered: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Slot {
    /// Tells whether the request is answered; if not, `cx` is woken when it is.
    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<()> {
        if self.answered.get() {
            return Poll::Ready(());
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    fn answer(&self) {
        self.answered.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl Events {
    pub(super) fn new(tx: IdbTransaction, operation: &'static str) -> Rc<Self> {
        Rc::new(Self { tx, operation, state: RefCell::default(), handler: RefCell::default() })
    }

    /// Listens for the end of the transaction. Must be called before control returns to the browser, or the
    /// end may be missed.
    pub(super) fn listen(self: &Rc<Self>) {
        let mut handler = self.handler.borrow_mut();
        if handler.is_some() {
            return;
        }
        let weak: Weak<Self> = Rc::downgrade(self);
        let closure = Handler::new(move |event: Event| {
            if let Some(events) = weak.upgrade() {
                events.told(&event);
            }
        });
        let function = closure.as_ref().unchecked_ref();
        self.tx.set_oncomplete(Some(function));
        self.tx.set_onabort(Some(function));
        self.tx.set_onerror(Some(function));
        *handler = Some(closure);
    }

    /// Lines up a request to be awaited.
    pub(super) fn expect(self: &Rc<Self>, request: IdbRequest) -> Rc<Slot> {
        self.listen();
        if let Some(closure) = &*self.handler.borrow() {
            let function = closure.as_ref().unchecked_ref();
            request.set_onsuccess(Some(function));
            request.set_onerror(Some(function));
        }
        let slot = Rc::new(Slot { request, answered: Cell::new(false), waker: RefCell::default() });
        self.state.borrow_mut().waiting.push_back(Rc::clone(&slot));
        slot
    }

    /// Returns the transaction's end, once reached.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        self.state.borrow().outcome
    }

    /// Waits for the end.
    pub(super) fn poll_outcome(&self, cx: &Context<'_>) -> Poll<Outcome> {
        let mut state = self.state.borrow_mut();
        if let Some(outcome) = state.outcome {
            return Poll::Ready(outcome);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Makes the error of a refused call. If the transaction was aborted meanwhile, that is the reason, and not that it
    /// is over.
    pub(super) fn refused(&self, e: &JsValue) -> Error {
        match self.outcome() {
            Some(Outcome::Aborted) => self.reason(),
            _ => js_error(self.operation, e),
        }
    }

    /// Returns the reason of an abort. The browser keeps it on the transaction, not in the event. Firefox and WebKit do
    /// not, once `commit` was called: then the first request that failed is the reason.
    pub(super) fn reason(&self) -> Error {
        let given = self.tx.error().map(JsValue::from).map(|e| js_failure(self.operation, &e));
        let given = given.filter(|failure| failure.name() != Some(ABORTED));
        let failure = given.or_else(|| {
            let state = self.state.borrow();
            let error = state.failed.as_ref()?.error().ok()??;
            Some(js_failure(self.operation, &error))
        });
        let failure = failure.unwrap_or_else(|| Failure::named(self.operation, ABORTED, "it was aborted"));
        failure.during(self.operation)
    }

    fn told(&self, event: &Event) {
        let target = event.target();
        let answered = {
            let mut state = self.state.borrow_mut();
            let found = target.as_deref().and_then(|target| {
                let target: &JsValue = target;
                state.waiting.iter().position(|slot| AsRef::<JsValue>::as_ref(&slot.request) == target)
            });
            found.and_then(|index| state.waiting.remove(index))
        };
        match answered {
            Some(slot) => slot.answer(),
            None => match event.type_().as_str() {
                "complete" => self.ended(Outcome::Complete),
                "abort" => self.ended(Outcome::Aborted),
                "error" => self.failed(target.and_then(|target| target.dyn_into().ok())),
                _ => {}
            },
        }
    }

    /// Takes an error of a request, on its way up to the transaction.
    fn failed(&self, request: Option<IdbRequest>) {
        let mut state = self.state.borrow_mut();
        if state.failed.is_none() {
            state.failed = request;
        }
    }

    /// Ends all awaited requests too: a browser that shuts a database need not answer each of them.
    fn ended(&self, outcome: Outcome) {
        let (waiting, waker) = {
            let mut state = self.state.borrow_mut();
            state.outcome = Some(outcome);
            (std::mem::take(&mut state.waiting), state.waker.take())
        };
        for slot in waiting {
            slot.answer();
        }
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Drop for Events {
    /// Removes the handlers: an event without its closure would throw, and a handler that throws aborts the
    /// transaction.
    fn drop(&mut self) {
        if self.handler.get_mut().is_none() {
            return;
        }
        self.tx.set_oncomplete(None);
        self.tx.set_onabort(None);
        self.tx.set_onerror(None);
        for slot in &self.state.get_mut().waiting {
            slot.request.set_onsuccess(None);
            slot.request.set_onerror(None);
        }
    }
}
