//! The contract, checked by the suite of `haos-store-api`.

use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::Harness;
use haos_store_api::{Result, StorageAdapter};
use outside_backend::ShelfStore;

#[derive(Default)]
struct Shelf(Arc<ShelfStore>);

#[async_trait(?Send)]
impl Harness for Shelf {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.0 = Arc::new(ShelfStore::new());
        Ok(self.0.clone())
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.0 = Arc::new(self.0.reopen());
        Ok(self.0.clone())
    }
}

haos_store_api::conformance_suite!(tokio::test, Shelf::default());
