//! The stores that every scenario runs on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use haos_store_api::backend::*;

use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};

pub(crate) type Store = Arc<dyn StorageAdapter>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Memory,
    Sqlite,
    Sled,
}

/// The place of a store, to open it again.
pub(crate) struct Home {
    pub(crate) backend: Backend,
    pub(crate) sealed: bool,
    memory: MemoryStore,
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new(backend: Backend, sealed: bool) -> Self {
        let memory = match sealed {
            true => {
                let keyring = Keyring::create(&secret(), KdfParams::default()).unwrap();
                MemoryStore::with_codec(Codec::sealed(keyring))
            }
            false => MemoryStore::new(),
        };
        Self { backend, sealed, memory, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn sqlite_path(&self) -> PathBuf {
        self.folder().join("s.db")
    }

    /// Opens it; what was opened before must be closed, as by the end of a process.
    pub(crate) async fn open(&mut self) -> Store {
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
pub(crate) async fn on_every_store(scenario: impl AsyncFn(Home)) {
    for backend in [Backend::Memory, Backend::Sqlite, Backend::Sled] {
        for sealed in [false, true] {
            println!("on {backend:?}, {}", if sealed { "sealed" } else { "plain" });
            scenario(Home::new(backend, sealed)).await;
        }
    }
}
