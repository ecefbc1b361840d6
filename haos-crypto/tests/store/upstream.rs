//! matrix-sdk-crypto's own suite for stores, on every native backend, plain and sealed.

use std::collections::HashMap;
use std::sync::LazyLock;

use haos_backends::{Backend, Home, Store};
use haos_crypto::KeyStore;
use tokio::sync::Mutex;

/// The stores of the tests, by backend and name: each test opens its own some times.
type Homes = Mutex<HashMap<(&'static str, String), (Home, Option<Store>)>>;
static HOMES: LazyLock<Homes> = LazyLock::new(Homes::default);

async fn open(backend: Backend, sealed: bool, name: &str, clear: bool) -> KeyStore {
    let suite = match (backend, sealed) {
        (Backend::Memory, false) => "memory",
        (Backend::Memory, true) => "memory, sealed",
        (Backend::Sqlite, false) => "sqlite",
        (Backend::Sqlite, true) => "sqlite, sealed",
        (Backend::Sled, false) => "sled",
        (Backend::Sled, true) => "sled, sealed",
    };
    let mut homes = HOMES.lock().await;
    let place = (suite, name.to_owned());
    let (mut home, store) = homes.remove(&place).unwrap_or_else(|| (Home::new(backend, sealed), None));
    if let Some(store) = store {
        store.close().await.unwrap();
    }
    if clear {
        home = Home::new(backend, sealed);
    }
    let store = home.open().await;
    homes.insert(place, (home, Some(store.clone())));
    KeyStore::open(store).await.unwrap()
}

macro_rules! suite {
    ($name:ident: $backend:ident, $sealed:literal) => {
        mod $name {
            use super::*;
            use matrix_sdk_crypto::{cryptostore_integration_tests, cryptostore_integration_tests_time};

            /// The passphrase is for stores that seal by themselves; here it is the adapter that does, or not.
            async fn get_store(name: &str, _passphrase: Option<&str>, clear: bool) -> KeyStore {
                open(Backend::$backend, $sealed, name, clear).await
            }

            cryptostore_integration_tests!();
            cryptostore_integration_tests_time!();
        }
    };
}

suite!(memory: Memory, false);
suite!(memory_sealed: Memory, true);
suite!(sqlite: Sqlite, false);
suite!(sqlite_sealed: Sqlite, true);
suite!(sled: Sled, false);
suite!(sled_sealed: Sled, true);
