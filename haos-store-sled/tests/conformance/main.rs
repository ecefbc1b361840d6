//! The contract, kept: the suite of `haos-store-api`, with each profile, plain and sealed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod tamper;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::{Harness, Move};
use haos_store_api::{Result, Secret, StorageAdapter};
use haos_store_sled::{SledOptions, SledStore};
use tempfile::TempDir;

/// Stores in a temporary folder.
struct SledHarness {
    folder: TempDir,
    stores: u32,
    profile: fn(SledOptions) -> SledOptions,
}

impl SledHarness {
    fn new(profile: fn(SledOptions) -> SledOptions) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), stores: 0, profile }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(self.stores.to_string())
    }
}

#[async_trait(?Send)]
impl Harness for SledHarness {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        // A former store may still be closing; scripts open thousands.
        let _ = std::fs::remove_dir_all(self.path());
        self.stores += 1;
        self.reopen().await
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        let options = (self.profile)(SledOptions::new(self.path()));
        Ok(Arc::new(SledStore::open(options).await?))
    }

    fn moves(&self) -> Vec<Move> {
        tamper::MOVES.to_vec()
    }

    async fn make(&mut self, name: &'static str) -> Result<()> {
        tamper::make(&self.path(), name);
        Ok(())
    }
}

mod default {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, SledHarness::new(|options| options));
}

mod low_memory {
    use super::*;
    haos_store_api::conformance_suite!(tokio::test, SledHarness::new(SledOptions::low_memory));
}

mod sealed {
    use super::*;
    haos_store_api::conformance_suite!(
        tokio::test,
        SledHarness::new(|options| options.secret(Secret::key([7; 32])))
    );
}
