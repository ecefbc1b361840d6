//! matrix-sdk-crypto's own suite for stores on IndexedDB, plain and sealed.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test may panic")]
#![allow(unexpected_cfgs, reason = "the suite of matrix-sdk-crypto asks for features of its own")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use haos_crypto::KeyStore;
use haos_store::{OpenOptions, Secret, open_with};
use haos_store_api::StorageAdapter;

type Homes = HashMap<String, (u32, Option<Arc<dyn StorageAdapter>>)>;

thread_local! {
    /// The stores of the tests, by name: each test opens its own some times. The number counts those of one name.
    static HOMES: RefCell<Homes> = RefCell::default();
}

async fn open(sealed: bool, name: &str, clear: bool) -> KeyStore {
    let name = format!("{name}-{sealed}");
    let (number, before) = HOMES.with_borrow_mut(|homes| {
        let home = homes.entry(name.clone()).or_default();
        home.0 += u32::from(clear);
        (home.0, home.1.take())
    });
    if let Some(store) = before {
        store.close().await.unwrap();
    }
    let secret = sealed.then(|| Secret::key([7; 32]));
    let url = format!("idb:keys-{name}-{number}");
    let store = open_with(&url, &OpenOptions { secret, ..OpenOptions::default() }).await.unwrap().store;
    HOMES.with_borrow_mut(|homes| homes.insert(name, (number, Some(store.clone()))));
    KeyStore::open(store).await.unwrap()
}

macro_rules! suite {
    ($name:ident: $sealed:literal) => {
        mod $name {
            use super::*;
            use matrix_sdk_crypto::cryptostore_integration_tests;

            /// The passphrase is for stores that seal by themselves; here it is the adapter that does, or not.
            async fn get_store(name: &str, _passphrase: Option<&str>, clear: bool) -> KeyStore {
                open($sealed, name, clear).await
            }

            // Those of time wait by a clock that browsers do not have.
            cryptostore_integration_tests!();
        }
    };
}

suite!(plain: false);
suite!(sealed: true);
