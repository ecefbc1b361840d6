//! The common parts of the tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use haos_store_api::conformance::durable::*;
use haos_store_api::*;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

pub(crate) async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(path)).await.expect("the store opens")
}

/// Reads every file of a folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    haos_store_api::conformance::durable::files(folder).unwrap()
}

pub(crate) async fn txns(store: &SqliteStore) -> Vec<String> {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    rows.iter().map(|row| row.txn_id.to_string()).collect()
}
