//! The whole contract, over the memory store.

use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::Harness;
use haos_store_api::{MemoryStore, Result, StorageAdapter, conformance_suite};

#[derive(Default)]
struct Memory(MemoryStore);

#[async_trait(?Send)]
impl Harness for Memory {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.0 = MemoryStore::new();
        Ok(Arc::new(self.0.clone()))
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.0 = self.0.reopen();
        Ok(Arc::new(self.0.clone()))
    }
}

conformance_suite!(tokio::test, Memory::default());
