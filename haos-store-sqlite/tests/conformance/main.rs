//! The contract, kept: the suite of `haos-store-api`, with each profile, plain and sealed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod tamper;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::{Harness, Move};
use haos_store_api::{Result, Secret, StorageAdapter};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// Stores in a temporary folder.
struct SqliteHarness {
    folder: TempDir,
    stores: u32,
    profile: fn(SqliteOptions) -> SqliteOptions,
    sealed: bool,
}

impl SqliteHarness {
    fn new(profile: fn(SqliteOptions) -> SqliteOptions) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), stores: 0, profile, sealed: false }
    }

    fn sealed() -> Self {
        Self { sealed: true, ..Self::new(|options| options.secret(Secret::key([7; 32]))) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(format!("{}.db", self.stores))
    }
}

#[async_trait(?Send)]
impl Harness for SqliteHarness {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        // A former store may still be closing; scripts open thousands.
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", self.path().display()));
        }
        self.stores += 1;
        self.reopen().await
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        let options = (self.profile)(SqliteOptions::new(self.path()));
        Ok(Arc::new(SqliteStore::open(options).await?))
    }

    fn moves(&self) -> Vec<Move> {
        tamper::moves(self.sealed)
    }

    async fn make(&mut self, name: &'static str) -> Result<()> {
        tamper::make(&self.path(), name);
        Ok(())
    }
}

mod default {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, SqliteHarness::new(|options| options));
}

mod low_memory {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, SqliteHarness::new(SqliteOptions::low_memory));
}

mod sealed {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, SqliteHarness::sealed());
}
