//! Any script of batches, restarts and reads: all backends answer as the conformance suite's model does, errors
//! included.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::{Harness, script_of};
use haos_store_api::{MemoryStore, Result, StorageAdapter};
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

use crate::{block_on, folder};

/// The bytes are the randomness that the conformance suite makes a script from.
pub fn run(data: &[u8]) {
    let folder = folder();
    let backends: [(&str, Box<dyn Harness>); 3] = [
        ("memory", Box::new(Memory(MemoryStore::new()))),
        ("sqlite", Box::new(Sqlite(folder.path().join("script.db")))),
        ("sled", Box::new(Sled(folder.path().join("script.sled")))),
    ];
    for (name, mut harness) in backends {
        if let Err(failure) = block_on(script_of(data, harness.as_mut())) {
            panic!("{name}: {failure}");
        }
    }
}

struct Memory(MemoryStore);

#[async_trait(?Send)]
impl Harness for Memory {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(self.0.clone()))
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.0 = self.0.reopen();
        Ok(Arc::new(self.0.clone()))
    }
}

/// The file of a store, at first absent.
struct Sqlite(PathBuf);

#[async_trait(?Send)]
impl Harness for Sqlite {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(SqliteStore::open(SqliteOptions::new(&self.0)).await?))
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.open().await
    }
}

/// The folder of a store, at first absent.
struct Sled(PathBuf);

#[async_trait(?Send)]
impl Harness for Sled {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        Ok(Arc::new(SledStore::open(SledOptions::new(&self.0)).await?))
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.open().await
    }
}
