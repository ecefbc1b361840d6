//! The contract in a browser: the suite of `haos-store-api`, plain and sealed, in whatever context runs this.
#![cfg(target_arch = "wasm32")]

use std::sync::Arc;

use async_trait::async_trait;
use haos_store_api::conformance::{CASES, Harness, Scripts, scripts};
use haos_store_api::{Result, Secret, StorageAdapter};
use haos_store_idb::{IdbOptions, IdbStore};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

/// Random scripts: more by the flag `--scripts` of `cargo xtask test`.
const SCRIPTS: u32 = match option_env!("HAOS_SCRIPTS") {
    Some(text) => match u32::from_str_radix(text, 10) {
        Ok(count) => count,
        Err(_) => 200,
    },
    None => 200,
};

/// Stores of this origin, one after the other.
struct IdbHarness {
    name: &'static str,
    stores: u32,
    secret: Option<Secret>,
}

impl IdbHarness {
    fn new(name: &'static str, secret: Option<Secret>) -> Self {
        Self { name, stores: 0, secret }
    }

    fn database(&self) -> String {
        format!("{}-{}", self.name, self.stores)
    }
}

#[async_trait(?Send)]
impl Harness for IdbHarness {
    async fn open(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        IdbStore::delete(&self.database()).await?;
        self.stores += 1;
        self.reopen().await
    }

    async fn reopen(&mut self) -> Result<Arc<dyn StorageAdapter>> {
        let options = IdbOptions::new(self.database());
        let options = match &self.secret {
            Some(secret) => options.secret(secret.clone()),
            None => options,
        };
        #[allow(clippy::arc_with_non_send_sync, reason = "the contract shares stores so")]
        Ok(Arc::new(IdbStore::open(options).await?))
    }
}

/// All cases in one test, so that their names and times are in one place.
async fn cases(mut harness: IdbHarness) {
    let mut failed = Vec::new();
    for case in CASES {
        if let Err(failure) = (case.run)(&mut harness).await {
            console_log!("{}: {failure}", case.name);
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

async fn random(mut harness: IdbHarness) {
    let outcome =
        scripts(&mut harness, Scripts { count: SCRIPTS, look_every: 8, ..Scripts::default() }).await;
    assert!(outcome.is_ok(), "{outcome:?}");
}

fn key() -> Option<Secret> {
    Some(Secret::key([7; 32]))
}

#[wasm_bindgen_test]
async fn plain_cases() {
    cases(IdbHarness::new("plain", None)).await;
}

#[wasm_bindgen_test]
async fn plain_scripts() {
    random(IdbHarness::new("plain-scripts", None)).await;
}

#[wasm_bindgen_test]
async fn sealed_cases() {
    cases(IdbHarness::new("sealed", key())).await;
}

#[wasm_bindgen_test]
async fn sealed_scripts() {
    random(IdbHarness::new("sealed-scripts", key())).await;
}
