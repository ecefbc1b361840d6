//! The life cycle of a store's connection.
//!
//! A connection ends without our doing: another tab upgrades or deletes the database, the user clears the site's data,
//! the browser's storage process dies, the page goes into the back/forward cache, which takes no page with an open
//! connection. So nothing here holds on to one. [`Connection::begin`] takes the present one, or opens another, once,
//! and reports the outcome:
//!
//! - the database is newer now: `NewerSchema`,
//! - another tab does not let go: `Blocked`; the browser does not answer: `Busy`,
//! - the database is *gone*: `Closed`, now and ever after. An empty one is not made in its place, since the store's
//!   users rely on the former content. [`Connection::is_erased`] tells that from a close.

mod flight;
#[cfg(feature = "testing")]
mod hooks;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use haos_store_api::{Error, ErrorKind, Result};
use haos_web::Listener;
use wasm_bindgen::{JsCast, JsValue};

use crate::IdbOptions;
use crate::error::{Failure, NO_STORE, OPEN, js_failure};
use crate::idb::{Mode, Transaction};
use crate::schema::{CURRENT, Schema};
use flight::{Limits, Line, Target};
#[cfg(feature = "testing")]
pub(crate) use hooks::Loss;

/// A store's connection, shared by all parts of the store.
#[derive(Clone)]
pub(crate) struct Connection(Rc<Inner>);

struct Inner {
    name: String,
    schema: Schema,
    limits: Limits,
    state: Cell<Life>,
    /// The number of openings of the database.
    opened: Cell<u32>,
    line: RefCell<Option<Rc<Line>>>,
    _page_hide: Listener,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    Suspended,
    Closed,
    Erased,
}

impl Connection {
    /// Opens the database, and makes it first if the options allow that.
    ///
    /// # Errors
    ///
    /// `Io` for an absent database that is not to be made, `Invalid` where a database of that name is not ours,
    /// `NewerSchema`, `Blocked`, `Busy`, `Unavailable`, and other failures of a browser.
    pub(crate) async fn open(options: &IdbOptions) -> Result<Self> {
        Self::open_as(options, CURRENT).await
    }

    /// Opens the database under a given schema.
    pub(crate) async fn open_as(options: &IdbOptions, schema: Schema) -> Result<Self> {
        let limits = Limits { blocked_ms: options.blocked_ms, open_ms: options.open_ms };
        let target = Target { name: options.name.clone(), create: options.create, schema };
        let line = target.open(limits).await.map_err(|failure| failure.during(OPEN))?;
        let inner = Rc::new_cyclic(|weak| Inner {
            name: options.name.clone(),
            schema,
            limits,
            state: Cell::new(Life::Open),
            opened: Cell::new(1),
            line: RefCell::new(Some(line)),
            _page_hide: page_hide(Weak::clone(weak)),
        });
        Ok(Self(inner))
    }

    /// Begins a transaction. If the connection was lost, it is opened again, once.
    ///
    /// Await nothing but the transaction's own requests before all of them are fired.
    pub(crate) async fn begin(
        &self,
        stores: &[&str],
        mode: Mode,
        operation: &'static str,
    ) -> Result<Transaction> {
        self.0.usable(operation)?;
        if let Some(line) = self.0.line() {
            match line.database.begin(stores, mode, operation) {
                Ok(tx) => return Ok(tx),
                Err(e) => {
                    let failure = js_failure(operation, &e);
                    if !lost(&failure) {
                        return Err(failure.during(operation));
                    }
                    self.0.let_go(&line);
                }
            }
        }
        let line = self.0.reopen(operation).await?;
        line.database.begin(stores, mode, operation).map_err(|e| js_failure(operation, &e).during(operation))
    }

    /// Closes it for good.
    pub(crate) fn close(&self) {
        self.0.state.set(Life::Closed);
        self.0.line.take();
    }

    /// Closes it until [`resume`](Self::resume).
    pub(crate) fn suspend(&self) {
        if self.0.state.get() == Life::Open {
            self.0.state.set(Life::Suspended);
        }
        self.0.line.take();
    }

    /// Opens it again.
    pub(crate) async fn resume(&self) -> Result<()> {
        if self.0.state.get() == Life::Suspended {
            self.0.state.set(Life::Open);
        }
        self.0.usable("resume")?;
        if self.0.line().is_none() {
            self.0.reopen("resume").await?;
        }
        Ok(())
    }

    /// Returns the number of openings of the database: before each further one, another context may have deleted it and
    /// made it again.
    pub(crate) fn opened(&self) -> u32 {
        self.0.opened.get()
    }

    /// Closes it for good: the database is another one than before.
    pub(crate) fn erased(&self, operation: &'static str) -> Error {
        self.0.state.set(Life::Erased);
        self.0.line.take();
        self.0.usable(operation).err().unwrap_or_else(|| Error::new(ErrorKind::Closed, operation, "closed"))
    }

    /// Tells whether a connection is open now.
    pub(crate) fn is_there(&self) -> bool {
        self.0.line().is_some()
    }

    /// Tells whether the connection ended without our doing, and another attempt would open a new one.
    pub(crate) fn is_lost(&self) -> bool {
        self.0.state.get() == Life::Open && self.0.line().is_none()
    }

    /// Tells whether the database vanished while it was open: the user cleared the site's data, or the browser did.
    #[cfg(feature = "testing")]
    pub(crate) fn is_erased(&self) -> bool {
        self.0.state.get() == Life::Erased
    }
}

impl Inner {
    fn usable(&self, operation: &'static str) -> Result<()> {
        let message = match self.state.get() {
            Life::Open => return Ok(()),
            Life::Suspended => "the store is suspended: resume it",
            Life::Closed => "the store was closed: open it again",
            Life::Erased => "the browser erased the store: open it again, which makes an empty one",
        };
        Err(Error::new(ErrorKind::Closed, operation, message))
    }

    /// Returns the connection, unless it ended.
    fn line(&self) -> Option<Rc<Line>> {
        let mut line = self.line.borrow_mut();
        if line.as_ref().is_some_and(|line| !line.is_open()) {
            *line = None;
        }
        line.clone()
    }

    /// Drops `line`, unless it has already been replaced.
    fn let_go(&self, line: &Rc<Line>) {
        let mut current = self.line.borrow_mut();
        if current.as_ref().is_some_and(|current| Rc::ptr_eq(current, line)) {
            *current = None;
        }
    }

    async fn reopen(&self, operation: &'static str) -> Result<Rc<Line>> {
        let target = Target { name: self.name.clone(), create: false, schema: self.schema };
        let opened = target.open(self.limits).await;
        // The store may have been closed during the opening.
        self.usable(operation)?;
        match opened {
            Ok(line) => {
                self.opened.set(self.opened.get() + 1);
                *self.line.borrow_mut() = Some(Rc::clone(&line));
                Ok(line)
            }
            Err(failure) if failure.name() == Some(NO_STORE) => {
                self.state.set(Life::Erased);
                self.usable(operation).and(Err(failure.during(operation)))
            }
            Err(failure) => Err(failure.during(operation)),
        }
    }
}

/// Tells whether a transaction could not begin because the connection is gone. WebKit says `UnknownError` when its
/// storage process died.
fn lost(failure: &Failure) -> bool {
    matches!(failure.name(), Some("InvalidStateError" | "UnknownError"))
}

/// Lets go of the connection when the page goes into the back/forward cache, which would refuse the page, and where the
/// connection would block other tabs. The page's next `begin` opens another. Workers have no such event.
fn page_hide(inner: Weak<Inner>) -> Listener {
    let global = js_sys::global();
    Listener::on(global.unchecked_ref(), "pagehide", move |event| {
        let persisted = js_sys::Reflect::get(&event, &JsValue::from_str("persisted"));
        if persisted.is_ok_and(|persisted| persisted.is_truthy())
            && let Some(inner) = inner.upgrade()
        {
            inner.line.take();
        }
    })
}
