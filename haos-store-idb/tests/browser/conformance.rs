//! The contract: the suite of `haos-store-api`, plain and sealed.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
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

/// The number of parallel runs: a browser is slow to answer, not busy.
const LANES: u32 = 4;

/// Stores of this origin, one after the other.
struct IdbHarness {
    name: String,
    stores: u32,
    secret: Option<Secret>,
}

impl IdbHarness {
    fn new(name: &str, lane: u32, secret: Option<Secret>) -> Self {
        Self { name: format!("{name}-{lane}"), stores: 0, secret }
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

/// All cases in one test, so that their names are in one place.
async fn cases(name: &str, secret: Option<Secret>) {
    let lanes = (0..LANES).map(async |lane| {
        let mut harness = IdbHarness::new(name, lane, secret.clone());
        let mut failed = Vec::new();
        for case in CASES.iter().skip(lane as usize).step_by(LANES as usize) {
            if let Err(failure) = (case.run)(&mut harness).await {
                console_log!("{}: {failure}", case.name);
                failed.push(case.name);
            }
        }
        failed
    });
    let failed = join_all(lanes).await.concat();
    assert!(failed.is_empty(), "{failed:?}");
}

async fn random(name: &str, secret: Option<Secret>) {
    let lanes = (0..LANES).map(async |lane| {
        let mut harness = IdbHarness::new(name, lane, secret.clone());
        let default = Scripts::default();
        let seed = default.seed + u64::from(lane);
        scripts(&mut harness, Scripts { count: SCRIPTS.div_ceil(LANES), seed, look_every: 8 }).await
    });
    for outcome in join_all(lanes).await {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
}

fn key() -> Option<Secret> {
    Some(Secret::key([7; 32]))
}

#[wasm_bindgen_test]
async fn plain_cases() {
    cases("plain", None).await;
}

#[wasm_bindgen_test]
async fn plain_scripts() {
    random("plain-scripts", None).await;
}

#[wasm_bindgen_test]
async fn sealed_cases() {
    cases("sealed", key()).await;
}

#[wasm_bindgen_test]
async fn sealed_scripts() {
    random("sealed-scripts", key()).await;
}
