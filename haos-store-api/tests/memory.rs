//! The whole contract, over the memory store, plain and sealed.
#![allow(clippy::expect_used, reason = "a test may panic")]

use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::conformance::Harness;
use haos_store_api::{KdfParams, MemoryStore, Result, Secret, StorageAdapter, conformance_suite};

struct Memory {
    codec: Codec,
    store: MemoryStore,
}

impl Memory {
    fn with(codec: Codec) -> Self {
        Self { codec, store: MemoryStore::new() }
    }

    fn sealed() -> Self {
        let keyring = Keyring::create(&Secret::key([1; 32]), KdfParams::default());
        Self::with(Codec::sealed(keyring.expect("the system gives random bytes")))
    }
}

#[async_trait(?Send)]
impl Harness for Memory {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.store = MemoryStore::with_codec(self.codec.clone());
        Ok(Arc::new(self.store.clone()))
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        self.store = self.store.reopen();
        Ok(Arc::new(self.store.clone()))
    }
}

mod plain {
    use super::*;
    conformance_suite!(tokio::test, Memory::with(Codec::plain()));
}

mod sealed {
    use super::*;
    conformance_suite!(tokio::test, Memory::sealed());
}
