//! The common parts of the tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use haos_store_api::conformance::durable::*;
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};

pub(crate) async fn open(path: &Path) -> SledStore {
    SledStore::open(SledOptions::new(path)).await.expect("the store opens")
}

/// Makes a store with the sample, closed.
pub(crate) async fn make(path: &Path) {
    let store = open(path).await;
    store.apply(sample()).await.unwrap();
    store.close().await.unwrap();
}

/// Reads every file below a folder.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    haos_store_api::conformance::durable::files(folder).unwrap()
}

pub(crate) async fn txns(store: &SledStore) -> Vec<String> {
    let rows = store.pending(PendingQuery::default()).await.unwrap();
    rows.iter().map(|row| row.txn_id.to_string()).collect()
}

/// A check finds nothing.
pub(crate) async fn is_sound(store: &SledStore) {
    let report = store.maintain(Maintenance::Check, Progress::none()).await.unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// The tree of a closed store, for tampering. It is on disk when the value is dropped.
pub(crate) struct Raw {
    pub(crate) tree: sled::Tree,
    db: sled::Db,
}

impl Raw {
    pub(crate) fn open(path: &Path) -> Self {
        // A process that is started at this moment has the files, too, until it runs another program.
        let began = std::time::Instant::now();
        let db = loop {
            match sled::open(path.join("sled")) {
                Err(sled::Error::Io(_)) if began.elapsed().as_secs() < 20 => std::thread::yield_now(),
                opened => break opened.unwrap(),
            }
        };
        Self { tree: db.open_tree("haos").unwrap(), db }
    }

    /// Removes the first record of a collection or an index.
    pub(crate) fn remove(&self, tag: u8) {
        let (key, _) = self.tree.scan_prefix([tag]).next().unwrap().unwrap();
        self.tree.remove(key).unwrap();
    }

    /// Flips a bit of the first value, this number of bytes from its start.
    pub(crate) fn flip(&self, tag: u8, at: usize) {
        let (key, value) = self.tree.scan_prefix([tag]).next().unwrap().unwrap();
        let mut value = value.to_vec();
        value[at] ^= 1;
        self.tree.insert(key, value).unwrap();
    }

    /// Flips the last bit of the last value.
    pub(crate) fn spoil_last(&self, tag: u8) {
        let (key, value) = self.tree.scan_prefix([tag]).next_back().unwrap().unwrap();
        let mut value = value.to_vec();
        *value.last_mut().unwrap() ^= 1;
        self.tree.insert(key, value).unwrap();
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.db.flush().unwrap();
    }
}
