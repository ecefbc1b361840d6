//! One transaction.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;

use haos_store_api::{Durability, Result};
use web_sys::IdbTransaction;

use super::Store;
use super::events::{Events, Outcome};

/// The purpose of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Reads.
    Read,
    /// Reads and writes, committed with this durability.
    Write(Durability),
}

/// A transaction. It owns nothing of its database, so it may be kept as long as it is busy.
///
/// One that writes and is dropped before [`done`](Self::done) is aborted.
#[must_use = "a transaction that writes is aborted unless it is done"]
pub(crate) struct Transaction {
    events: Rc<Events>,
    mode: Mode,
    finished: Cell<bool>,
}

impl Transaction {
    pub(super) fn new(tx: IdbTransaction, mode: Mode, operation: &'static str) -> Self {
        let events = Events::new(tx, operation);
        if mode != Mode::Read {
            events.listen();
        }
        Self { events, mode, finished: Cell::new(false) }
    }

    /// Returns one of the stores that the transaction was begun with.
    pub(crate) fn store(&self, name: &str) -> Result<Store> {
        let store = self.events.tx.object_store(name);
        let store = store.map_err(|e| self.events.refused(&e))?;
        Ok(Store::new(store, Rc::clone(&self.events)))
    }

    /// Commits and waits until the browser reports completion; otherwise returns the reason of the abort.
    ///
    /// After reads it waits for nothing: each has answered for itself. A caller that stops waiting does not stop the
    /// commit.
    pub(crate) async fn done(self) -> Result<()> {
        if self.mode == Mode::Read {
            return Ok(());
        }
        if !self.finished.replace(true) && self.events.outcome().is_none() {
            // Spares the browser a turn to find out that no request follows. It refuses if the transaction is over
            // already, whose end the events tell.
            #[allow(
                deprecated,
                reason = "web-sys has it from an old draft; it is in every engine since 2021"
            )]
            let _ = self.events.tx.commit();
        }
        match poll_fn(|cx| self.events.poll_outcome(cx)).await {
            Outcome::Complete => Ok(()),
            Outcome::Aborted => Err(self.events.reason()),
        }
    }

    /// Undoes all of it. Does nothing if it is over.
    pub(crate) fn abort(&self) {
        self.finished.set(true);
        let _ = self.events.tx.abort();
    }

    /// Returns the durability that the browser was asked for.
    #[cfg(feature = "testing")]
    pub(crate) fn durability(&self) -> Option<String> {
        let durability =
            js_sys::Reflect::get(&self.events.tx, &wasm_bindgen::JsValue::from_str("durability"));
        durability.ok().and_then(|durability| durability.as_string())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.mode != Mode::Read && !self.finished.get() && self.events.outcome().is_none() {
            self.abort();
        }
    }
}
