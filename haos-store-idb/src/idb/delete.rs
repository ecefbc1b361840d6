//! Deleting a database.

use haos_store_api::{ErrorKind, Result};
use indexed_db_futures::database::Database as CrateDatabase;
use indexed_db_futures::internals::SystemRepr;
use tokio::sync::oneshot;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::open::{probe, refused};
use crate::error::{Failure, js_failure};

const DELETE: &str = "delete";

/// Deletes a database, once every connection to it has been closed; waits at most `limit_ms` for that. The deletion
/// continues afterwards, also without a waiting caller.
pub(crate) async fn delete_database(name: &str, limit_ms: u32) -> Result<()> {
    probe().map_err(|failure| failure.during(DELETE))?;
    let request = CrateDatabase::delete_by_name(name).map_err(|e| refused(&e).during(DELETE))?;
    let (sender, receiver) = oneshot::channel();
    spawn_local(async move {
        let sys = request.as_sys().clone();
        let deleted = request.await.map_err(|e| match sys.error() {
            Ok(Some(error)) => js_failure(DELETE, &JsValue::from(error)),
            _ => Failure::named(DELETE, "UnknownError", e.to_string()),
        });
        let _ = sender.send(deleted);
    });
    match haos_web::timeout(receiver, limit_ms).await {
        Some(Ok(deleted)) => deleted.map_err(|failure| failure.during(DELETE)),
        _ => Err(Failure::new(ErrorKind::Blocked, HELD).during(DELETE)),
    }
}

const HELD: &str =
    "another tab has the store open and does not close it: close that tab, the store goes then";
