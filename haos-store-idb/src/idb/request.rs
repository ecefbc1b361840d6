//! The answer to a request that was fired.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use haos_store_api::Result;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbCursorWithValue, IdbRequest, IdbRequestReadyState};

use super::events::{Events, Slot};
use crate::error::{Failure, js_error};

/// The answer to come. The request was fired when this was made; dropping this undoes nothing.
#[must_use = "the request is fired, but nobody waits for its answer"]
pub(crate) struct DbRequest(Kind);

enum Kind {
    /// Answered without asking the browser.
    Ready(JsValue),
    Fired {
        slot: Rc<Slot>,
        events: Rc<Events>,
        part: Part,
    },
}

/// The part of the result that is the answer.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The value of a cursor; undefined without a cursor.
    CursorValue,
}

impl DbRequest {
    pub(super) fn new(events: &Rc<Events>, request: IdbRequest, part: Part) -> Self {
        let slot = events.expect(request);
        Self(Kind::Fired { slot, events: Rc::clone(events), part })
    }

    pub(super) fn ready(value: JsValue) -> Self {
        Self(Kind::Ready(value))
    }
}

impl Future for DbRequest {
    type Output = Result<JsValue>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &self.0 {
            Kind::Ready(value) => Poll::Ready(Ok(value.clone())),
            Kind::Fired { slot, events, part } => {
                slot.poll(cx).map(|()| answer(&slot.request, *part, events.operation))
            }
        }
    }
}

/// Reads the result of an answered request, or its error. Looks for an error only without a result: that spares a call
/// into the browser for each request that succeeds.
fn answer(request: &IdbRequest, part: Part, operation: &'static str) -> Result<JsValue> {
    let failed = |e: JsValue| js_error(operation, &e);
    let result = request.result().map_err(|e| match request.ready_state() {
        IdbRequestReadyState::Done => failed(e),
        _ => Failure::named(operation, "AbortError", "the transaction ended first").during(operation),
    })?;
    if result.is_undefined()
        && let Some(error) = request.error().map_err(failed)?
    {
        return Err(failed(error.into()));
    }
    match part {
        Part::Whole => Ok(result),
        Part::CursorValue => match result.dyn_ref::<IdbCursorWithValue>() {
            Some(cursor) => cursor.value().map_err(failed),
            None => Ok(JsValue::UNDEFINED),
        },
    }
}
