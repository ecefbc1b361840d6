//! Databases as others would make them, by the browser's own calls.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;

use indexed_db_futures::database::{Database, VersionChangeEvent};
use indexed_db_futures::prelude::*;

/// Makes a name that no other test has.
pub(super) fn name(tag: &str) -> String {
    let random = (js_sys::Math::random() * 1e9).round();
    format!("{tag}-{}-{random}", js_sys::Date::now())
}

/// Opens `name` at `version`, and returns the older version, if any (`Some(0)`: absent). New databases get the object
/// store `foreign`, and only the caller closes the connection.
pub(super) async fn open(name: &str, version: u32) -> (Database, Option<f64>) {
    let upgraded = Rc::new(Cell::new(None));
    let seen = Rc::clone(&upgraded);
    let request = Database::open(name).with_version(version).with_on_upgrade_needed(
        move |event: VersionChangeEvent, db: Database| {
            seen.set(Some(event.old_version()));
            if event.old_version() == 0.0 {
                db.create_object_store("foreign").build()?;
            }
            Ok(())
        },
    );
    let database = request.await.unwrap();
    (database, upgraded.get())
}

/// Reads the version and the object stores of a database, without a change to it.
pub(super) async fn look(name: &str) -> (f64, Vec<String>) {
    let database = Database::open(name).await.unwrap();
    let seen = (database.version(), database.object_store_names().collect());
    database.close();
    seen
}

/// Tells whether a database of this name exists. Asking makes one, which is deleted again.
pub(super) async fn exists(name: &str) -> bool {
    let (database, upgraded) = open(name, 100).await;
    database.close();
    delete(name).await;
    upgraded != Some(0.0)
}

/// Deletes a database.
pub(super) async fn delete(name: &str) {
    Database::delete_by_name(name).unwrap().await.unwrap();
}

/// Deletes a database: the request is made now, and done when the future is.
pub(super) fn deleting(name: &str) -> impl Future<Output = ()> + use<> {
    let request = Database::delete_by_name(name).unwrap();
    async move { request.await.unwrap() }
}

/// Upgrades a database of [`open`] so that two values of its store cannot have the same `once`.
pub(super) async fn add_unique_index(name: &str, version: u32) {
    use indexed_db_futures::KeyPath;
    // An upgrade by the crate cannot reach an existing store, so this makes it again.
    let request = Database::open(name).with_version(version).with_on_upgrade_needed(
        |_: VersionChangeEvent, db: Database| {
            db.delete_object_store("foreign")?;
            let store = db.create_object_store("foreign").build()?;
            store.create_index("once", KeyPath::from("once")).with_unique(true).build()?;
            Ok(())
        },
    );
    request.await.unwrap().close();
}
