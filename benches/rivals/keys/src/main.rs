//! The keys of encrypted rooms in matrix-sdk-sqlite as a contender, each call in a process of its own. What it says is a
//! line of JSON.
//!
//! - `haos-rivals-keys fill LOCK FOLDER FILE COUNT` stores the keys of the page in a file, and others: a `Kept`.
//! - `haos-rivals-keys page LOCK FOLDER FILE` decrypts the page: a `Paged`.
//!
//! LOCK is plain, key or passphrase.
#![recursion_limit = "256"]

use std::path::Path;
use std::time::Instant;

use haos_contest::Lock;
use haos_contest::keys::{self, Page};
use matrix_sdk_sqlite::SqliteCryptoStore;

async fn store(lock: &str, folder: &Path) -> SqliteCryptoStore {
    let store = match Lock::named(lock).expect("LOCK is plain, key or passphrase") {
        Lock::Open => SqliteCryptoStore::open(folder, None).await,
        Lock::Key => SqliteCryptoStore::open_with_key(folder, Some(&Lock::KEY)).await,
        Lock::Passphrase => SqliteCryptoStore::open(folder, Some(Lock::WORDS)).await,
    };
    store.unwrap()
}

async fn said(words: &[&str]) -> serde_json::Result<String> {
    match *words {
        ["fill", lock, folder, file, count] => {
            let store = store(lock, Path::new(folder)).await;
            let (page, count) = (Page::load(Path::new(file)), count.parse().expect("COUNT is a number"));
            serde_json::to_string(&keys::fill(&store, &page, count).await)
        }
        ["page", lock, folder, file] => {
            let page = Page::load(Path::new(file));
            let clock = Instant::now();
            let store = store(lock, Path::new(folder)).await;
            serde_json::to_string(&keys::read((store, clock.elapsed()), &page).await)
        }
        _ => panic!("usage: see the head of benches/rivals/keys/src/main.rs"),
    }
}

fn main() {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{}", runtime.block_on(said(&words)).unwrap());
}
