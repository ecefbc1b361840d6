//! Openings that several callers share, and that nobody can cancel.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, Shared, select};
use haos_store_api::ErrorKind;
use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

use crate::error::Failure;
use crate::idb::{Database, End, Opening};
use crate::schema::Schema;

/// An open database, shared by all callers in this context that opened it at the same time. It is closed when the last
/// of them lets go, or when the browser or another context wants it closed.
pub(super) struct Line {
    pub(super) database: Database,
    end: Cell<Option<End>>,
}

impl Line {
    fn new(database: Database) -> Rc<Self> {
        let line = Rc::new(Self { database, end: Cell::new(None) });
        let weak: Weak<Self> = Rc::downgrade(&line);
        line.database.on_end(Rc::new(move |end| {
            if let Some(line) = weak.upgrade() {
                line.end(end);
            }
        }));
        line
    }

    /// Closes it at once: another context that upgrades waits for nothing else.
    pub(super) fn end(&self, end: End) {
        tracing::debug!(?end, "the connection to the database ended");
        self.end.set(Some(end));
        self.database.close();
    }

    pub(super) fn is_open(&self) -> bool {
        self.end.get().is_none()
    }
}

/// The database to open.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) create: bool,
    pub(super) schema: Schema,
}

/// The limits of the wait for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) blocked_ms: u32,
    pub(super) open_ms: u32,
}

/// An opening under way.
#[derive(Clone)]
struct Flight {
    landed: Shared<LocalBoxFuture<'static, Result<Rc<Line>, Failure>>>,
    blocked: Shared<oneshot::Receiver<()>>,
}

thread_local! {
    static FLIGHTS: RefCell<Vec<(Target, Flight)>> = const { RefCell::new(Vec::new()) };
}

impl Target {
    /// Opens the database, or joins an opening under way, and gives up after the limits. The opening itself continues
    /// then: its outcome is shared with later callers until it is there, and closed again if nobody joins.
    pub(super) async fn open(self, limits: Limits) -> Result<Rc<Line>, Failure> {
        let flight = Flight::join(&self);
        let blocked = flight.blocked.clone();
        let blocked_for = pin!(async {
            match blocked.clone().await {
                Ok(()) => haos_web::sleep(limits.blocked_ms).await,
                Err(_) => pending().await,
            }
        });
        let late = pin!(select(blocked_for, haos_web::sleep(limits.open_ms)));
        match select(flight.landed.clone(), late).await {
            Either::Left((landed, _)) => landed,
            Either::Right(_) if matches!(flight.blocked.peek(), Some(Ok(()))) => {
                Err(Failure::new(ErrorKind::Blocked, BLOCKED))
            }
            Either::Right(_) => {
                // Some browsers never answer a request, but do answer the next. So the next does not join.
                flight.forget();
                Err(Failure::new(ErrorKind::Busy, LATE))
            }
        }
    }

    fn same(&self, other: &Self) -> bool {
        self.name == other.name
            && self.create == other.create
            && self.schema.version() == other.schema.version()
    }
}

impl Flight {
    fn join(target: &Target) -> Self {
        let found = FLIGHTS.with_borrow(|flights| {
            // One that has landed may not be forgotten yet, and its outcome belongs to the past.
            let mut open = flights.iter().filter(|(_, flight)| flight.landed.peek().is_none());
            open.find(|(other, _)| other.same(target)).map(|(_, flight)| flight.clone())
        });
        found.unwrap_or_else(|| Self::start(target))
    }

    fn start(target: &Target) -> Self {
        let Target { name, create, schema } = target.clone();
        let (sender, blocked) = oneshot::channel();
        let landed = async move {
            let opening = Opening {
                name,
                version: schema.version(),
                upgrade: move |upgrade: &crate::idb::Upgrade<'_>| schema.upgrade(upgrade, create),
                blocked: move || {
                    let _ = sender.send(());
                },
            };
            let database = Database::open(opening).await?;
            schema.check(&database)?;
            Ok(Line::new(database))
        };
        let flight = Self { landed: landed.boxed_local().shared(), blocked: blocked.shared() };
        FLIGHTS.with_borrow_mut(|flights| flights.push((target.clone(), flight.clone())));
        let driven = flight.clone();
        spawn_local(async move {
            let _ = driven.landed.clone().await;
            driven.forget();
        });
        flight
    }

    fn forget(&self) {
        FLIGHTS.with_borrow_mut(|flights| {
            flights.retain(|(_, flight)| !flight.landed.ptr_eq(&self.landed));
        });
    }
}

const BLOCKED: &str = "another tab keeps an older version of the store open: close it, then try again";
const LATE: &str = "the browser did not open its database in time: try again, or restart the browser";
