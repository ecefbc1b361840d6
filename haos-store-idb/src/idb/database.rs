//! One connection to a database.

use std::cell::RefCell;
use std::rc::Rc;

use haos_store_api::{Durability, Result};
use indexed_db_futures::database::Database as CrateDatabase;
use indexed_db_futures::internals::SystemRepr;
use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::IdbDatabase;

use super::{Mode, Transaction};
use crate::error::{Failure, OPEN, js_failure};

/// A connection. It is closed when it is dropped.
pub(crate) struct Database {
    inner: CrateDatabase,
    /// `db.transaction` itself: `web-sys` has its three-argument form, with durability, as unstable only.
    begin: Function,
    strict: JsValue,
    relaxed: JsValue,
    listener: RefCell<Option<Listener>>,
}

type Listener = Closure<dyn FnMut(web_sys::Event)>;

/// The reason for which a connection ended without our doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Another context wants to upgrade or delete the database.
    VersionChange,
    /// The browser shut it: storage cleared, backend lost.
    Forced,
}

impl Database {
    pub(super) fn new(inner: CrateDatabase) -> Result<Self, Failure> {
        let failed = |e: JsValue| js_failure(OPEN, &e);
        let begin = Reflect::get(inner.as_sys(), &JsValue::from_str("transaction")).map_err(failed)?;
        let begin = begin.dyn_into().map_err(failed)?;
        let strict = durability("strict").map_err(failed)?;
        let relaxed = durability("relaxed").map_err(failed)?;
        Ok(Self { inner, begin, strict, relaxed, listener: RefCell::default() })
    }

    /// Begins a transaction over `stores`.
    #[cfg(feature = "testing")]
    pub(crate) fn transaction(&self, stores: &[&str], mode: Mode) -> Result<Transaction> {
        self.begin(stores, mode, "begin").map_err(|e| crate::error::js_error("begin", &e))
    }

    /// Begins a transaction whose errors name `operation`; returns the browser's refusal unchanged.
    pub(crate) fn begin(
        &self,
        stores: &[&str],
        mode: Mode,
        operation: &'static str,
    ) -> Result<Transaction, JsValue> {
        let names: Array = stores.iter().map(|name| JsValue::from_str(name)).collect();
        let tx = match mode {
            Mode::Read => self.sys().transaction_with_str_sequence(&names)?,
            Mode::Write(durability) => {
                let options = match durability {
                    Durability::Strict => &self.strict,
                    _ => &self.relaxed,
                };
                let mode = JsValue::from_str("readwrite");
                self.begin.call3(self.sys(), &names, &mode, options)?.dyn_into()?
            }
        };
        Ok(Transaction::new(tx, mode, operation))
    }

    /// Tells whether the database has the object store `name`.
    pub(crate) fn has_store(&self, name: &str) -> bool {
        self.sys().object_store_names().contains(name)
    }

    /// Closes the connection. Transactions under way continue to their end.
    pub(crate) fn close(&self) {
        self.sys().close();
    }

    /// Tells `on_end` when another context wants the database for itself, and when the browser shut it.
    pub(crate) fn on_end(&self, on_end: Rc<dyn Fn(End)>) {
        let listener = Listener::new(move |event: web_sys::Event| match event.type_().as_str() {
            "versionchange" => on_end(End::VersionChange),
            "close" => on_end(End::Forced),
            _ => {}
        });
        let function = listener.as_ref().unchecked_ref();
        self.sys().set_onversionchange(Some(function));
        self.sys().set_onclose(Some(function));
        *self.listener.borrow_mut() = Some(listener);
    }

    /// Fires an event at the connection that did not happen.
    #[cfg(feature = "testing")]
    pub(crate) fn fire(&self, event: &str) {
        if let Ok(event) = web_sys::Event::new(event) {
            let _ = self.sys().dispatch_event(&event);
        }
    }

    fn sys(&self) -> &IdbDatabase {
        self.inner.as_sys()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.sys().set_onversionchange(None);
        self.sys().set_onclose(None);
        self.close();
    }
}

fn durability(name: &str) -> Result<JsValue, JsValue> {
    let options = Object::new();
    Reflect::set(&options, &JsValue::from_str("durability"), &JsValue::from_str(name))?;
    Ok(options.into())
}
