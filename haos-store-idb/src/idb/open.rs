//! Opening a database, and the upgrade that belongs to it.

use std::cell::RefCell;
use std::rc::Rc;

use haos_store_api::ErrorKind;
use indexed_db_futures::OpenDbResult;
use indexed_db_futures::database::{Database as CrateDatabase, VersionChangeEvent};
use indexed_db_futures::error::OpenDbError;
use indexed_db_futures::internals::SystemRepr;
use indexed_db_futures::prelude::*;
use js_sys::Reflect;
use tokio::sync::oneshot;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{IdbOpenDbRequest, IdbTransaction};

use super::Database;
use crate::error::{Failure, MISSING, OPEN, js_failure};

/// The arguments of an opening.
pub(crate) struct Opening<U, B> {
    /// The database's name.
    pub(crate) name: String,
    /// The version it has or gets.
    pub(crate) version: u32,
    /// Upgrades the database to this version, synchronously, if it is older or absent. If it fails, the upgrade is
    /// aborted, and an absent database stays so.
    pub(crate) upgrade: U,
    /// Called once if another connection keeps an older version open.
    pub(crate) blocked: B,
}

impl Database {
    /// Opens a database. Dropping the future does not cancel that: a cancelled upgrade would leave a database without
    /// stores, for good. A database opened without a waiting caller is closed again.
    pub(crate) async fn open<U, B>(opening: Opening<U, B>) -> Result<Self, Failure>
    where
        U: FnOnce(&Upgrade<'_>) -> Result<(), Failure> + 'static,
        B: FnOnce() + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        spawn_local(async move {
            let _ = sender.send(open(opening).await);
        });
        match receiver.await {
            Ok(opened) => opened,
            Err(_) => Err(Failure::new(ErrorKind::Other, "opening was given up: please report it")),
        }
    }
}

async fn open<U, B>(opening: Opening<U, B>) -> Result<Database, Failure>
where
    U: FnOnce(&Upgrade<'_>) -> Result<(), Failure> + 'static,
    B: FnOnce() + 'static,
{
    probe()?;
    let Opening { name, version, upgrade, blocked } = opening;
    let fired: Rc<RefCell<Option<IdbOpenDbRequest>>> = Rc::default();
    let failed: Rc<RefCell<Option<Failure>>> = Rc::default();
    let on_upgrade = {
        let (fired, failed) = (Rc::clone(&fired), Rc::clone(&failed));
        move |event: VersionChangeEvent, db: CrateDatabase| {
            if let Err(failure) = upgrade(&Upgrade { db: &db, old_version: old_version(&event) }) {
                *failed.borrow_mut() = Some(failure);
                // By hand, and `Ok` to the crate: its own way is to throw, which tells the page's error handler of a
                // planned event.
                abort(fired.borrow().as_ref());
            }
            Ok(())
        }
    };
    let on_blocked = move |_: VersionChangeEvent| {
        blocked();
        Ok(())
    };
    let request = CrateDatabase::open(name)
        .with_version(version)
        .with_on_blocked(on_blocked)
        .with_on_upgrade_needed(on_upgrade)
        .build();
    let request = request.map_err(|e| refused(&e))?;
    let sys = request.as_sys().clone();
    *fired.borrow_mut() = Some(sys.clone());
    let opened: OpenDbResult<CrateDatabase> = request.await;
    let failure = failed.borrow_mut().take();
    match (opened, failure) {
        (Ok(db), None) => Database::new(db),
        (Ok(db), Some(failure)) => {
            db.close();
            Err(failure)
        }
        (Err(_), Some(failure)) => Err(failure),
        (Err(e), None) => Err(match sys.error() {
            Ok(Some(error)) => js_failure(OPEN, &JsValue::from(error)),
            _ => refused(&e),
        }),
    }
}

/// Finds out whether IndexedDB exists. The crate cannot tell an absent one from a forbidden one.
pub(super) fn probe() -> Result<(), Failure> {
    let factory = Reflect::get(&js_sys::global(), &JsValue::from_str("indexedDB"));
    match factory {
        Ok(factory) if factory.is_undefined() || factory.is_null() => {
            Err(Failure::named(OPEN, MISSING, "no indexedDB in this context"))
        }
        Ok(_) => Ok(()),
        Err(e) => Err(js_failure(OPEN, &e)),
    }
}

/// Returns the reason for which the browser did not even take the request.
pub(super) fn refused(e: &OpenDbError) -> Failure {
    match e {
        // The crate's answer to every error that `open` throws. No version here is zero, so that leaves the origins
        // that may have no storage.
        OpenDbError::VersionZero => Failure::named(OPEN, "SecurityError", "the origin may have no storage"),
        OpenDbError::UnsupportedEnvironment | OpenDbError::NullFactory => {
            Failure::named(OPEN, MISSING, e.to_string())
        }
        OpenDbError::Base(_) => Failure::named(OPEN, "UnknownError", e.to_string()),
    }
}

fn abort(request: Option<&IdbOpenDbRequest>) {
    if let Some(tx) = request.and_then(|request| request.transaction()) {
        let tx: IdbTransaction = tx.unchecked_into();
        let _ = tx.abort();
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "our versions are small integers")]
fn old_version(event: &VersionChangeEvent) -> u32 {
    event.old_version() as u32
}

/// The upgrade of a database, for the migrations.
pub(crate) struct Upgrade<'a> {
    db: &'a CrateDatabase,
    old_version: u32,
}

impl Upgrade<'_> {
    /// Returns the version of the database; 0: it was absent.
    pub(crate) fn old_version(&self) -> u32 {
        self.old_version
    }

    /// Tells whether the object store `name` exists.
    pub(crate) fn has_store(&self, name: &str) -> bool {
        self.db.as_sys().object_store_names().contains(name)
    }

    /// Makes an object store, whose keys are given with each value, or are numbers that it gives.
    pub(crate) fn create_store(&self, name: &str, numbers: bool) -> Result<(), Failure> {
        let refused = |e: indexed_db_futures::error::Error| {
            let message = format!("the object store {name} cannot be made: {e}");
            Failure::new(ErrorKind::Other, message)
        };
        self.db.create_object_store(name).with_auto_increment(numbers).build().map(drop).map_err(refused)
    }
}
