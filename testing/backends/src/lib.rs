//! Every native backend, plain and sealed: the stores that a scenario is played on.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "it is for tests, which fail by panicking")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use haos_store_api::backend::{Codec, Keyring};
use haos_store_api::{KdfParams, MemoryStore, Secret, StorageAdapter};
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

/// A store of any backend.
pub type Store = Arc<dyn StorageAdapter>;

/// The backends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// [`MemoryStore`].
    Memory,
    /// [`SqliteStore`].
    Sqlite,
    /// [`SledStore`].
    Sled,
}

/// The place of a store, to open it again. What is there is gone when this is dropped.
#[derive(Debug)]
pub struct Home {
    /// The backend.
    pub backend: Backend,
    /// The store is sealed.
    pub sealed: bool,
    memory: MemoryStore,
    folder: tempfile::TempDir,
}

impl Home {
    /// A place without a store.
    pub fn new(backend: Backend, sealed: bool) -> Self {
        let codec = match sealed {
            true => Codec::sealed(Keyring::create(&secret(), KdfParams::default()).unwrap()),
            false => Codec::plain(),
        };
        let memory = MemoryStore::with_codec(codec);
        Self { backend, sealed, memory, folder: tempfile::tempdir().unwrap() }
    }

    /// The folder that is the store's.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of an SQLite store.
    pub fn sqlite_path(&self) -> PathBuf {
        self.folder().join("s.db")
    }

    /// Removes the mirror of a closed SQLite store's outbox, so that a case is about the store alone.
    pub fn forget_mirror(&self) {
        std::fs::remove_file(format!("{}.outbox", self.sqlite_path().display())).unwrap();
    }

    /// Opens the store; what was opened before must be closed, as by the end of a process.
    pub async fn open(&mut self) -> Store {
        match self.backend {
            Backend::Memory => {
                self.memory = self.memory.reopen();
                Arc::new(self.memory.clone())
            }
            Backend::Sqlite => {
                let options = SqliteOptions::new(self.sqlite_path());
                let options = if self.sealed { options.secret(secret()) } else { options };
                Arc::new(SqliteStore::open(options).await.unwrap())
            }
            Backend::Sled => {
                let options = SledOptions::new(self.folder().join("sled"));
                let options = if self.sealed { options.secret(secret()) } else { options };
                Arc::new(SledStore::open(options).await.unwrap())
            }
        }
    }
}

fn secret() -> Secret {
    Secret::key([7; 32])
}

/// Plays a scenario on each backend, plain and sealed. What the test prints says on which it failed.
pub async fn on_every_store(scenario: impl AsyncFn(Home)) {
    for backend in [Backend::Memory, Backend::Sqlite, Backend::Sled] {
        for sealed in [false, true] {
            println!("on {backend:?}, {}", if sealed { "sealed" } else { "plain" });
            scenario(Home::new(backend, sealed)).await;
        }
    }
}

/// Tells the process that started this one a line: in one write, with an end that shows that nothing was cut off.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("\n{line} .\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
