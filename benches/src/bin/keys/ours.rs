//! The Rust side: each measurement in a process of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use haos_contest::Lock;
use haos_contest::keys::{self, Page};
use haos_crypto::KeyStore;
use haos_store_api::StorageAdapter;
use haos_store_sqlite::{SqliteOptions, SqliteStore};

/// The calls of such a process.
#[derive(clap::Subcommand)]
pub(crate) enum Child {
    /// Stores the room keys of the page in a file, and others
    Fill { lock: String, folder: PathBuf, file: PathBuf, count: usize },
    /// Decrypts the page in a file
    Page { lock: String, folder: PathBuf, file: PathBuf },
}

impl Child {
    /// Does it, and says what came of it.
    pub(crate) fn run(self) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let said = runtime.unwrap().block_on(async {
            match self {
                Self::Fill { lock, folder, file, count } => {
                    let (keys, store) = key_store(&lock, &folder).await;
                    let kept = keys::fill(&keys, &Page::load(&file), count).await;
                    store.close().await.unwrap();
                    serde_json::to_string(&kept)
                }
                Self::Page { lock, folder, file } => {
                    let page = Page::load(&file);
                    let clock = Instant::now();
                    let (keys, store) = key_store(&lock, &folder).await;
                    let paged = keys::read((keys, clock.elapsed()), &page).await;
                    store.close().await.unwrap();
                    serde_json::to_string(&paged)
                }
            }
        });
        println!("{}", said.unwrap());
    }
}

/// The store of keys over the store of a chat.
async fn key_store(lock: &str, folder: &Path) -> (KeyStore, Arc<dyn StorageAdapter>) {
    let options = SqliteOptions::new(folder.join("chat.db"));
    let options = match Lock::named(lock).unwrap() {
        Lock::Open => options,
        Lock::Key => options.secret(haos::Secret::key(Lock::KEY)),
        Lock::Passphrase => options.secret(haos::Secret::passphrase(Lock::WORDS)),
    };
    let store: Arc<dyn StorageAdapter> = Arc::new(SqliteStore::open(options).await.unwrap());
    (KeyStore::open(store.clone()).await.unwrap(), store)
}
