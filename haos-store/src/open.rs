use std::path::PathBuf;
use std::sync::Arc;

use haos_store_api::{MemoryStore, Result, StorageAdapter};

use crate::{Capabilities, Scheme};

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Make the store if it is not there. Default: true.
    pub create: bool,
    /// Trade speed for memory, for phones: see the backend. Default: false.
    pub low_memory: bool,
    /// How long another process may hold the store before a write fails as `Busy`, in milliseconds.
    /// Default: 5000.
    pub busy_ms: u32,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self { create: true, low_memory: false, busy_ms: 5000 }
    }
}

/// An open store and what it is capable of.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The store.
    pub store: Arc<dyn StorageAdapter>,
    /// What it can be relied on for.
    pub capabilities: Capabilities,
}

/// Opens the store at `url`: `sqlite:PATH` or `memory:`.
///
/// # Errors
/// `Invalid` for a url that is none, `Unsupported` for a backend that this build does not have,
/// and those of the backend.
pub async fn open(url: &str) -> Result<Opened> {
    open_with(url, &OpenOptions::default()).await
}

/// Opens the store at `url` with options; see [`open`].
///
/// # Errors
/// As [`open`].
pub async fn open_with(url: &str, options: &OpenOptions) -> Result<Opened> {
    let store: Arc<dyn StorageAdapter> = match url.parse()? {
        Scheme::Memory => Arc::new(MemoryStore::new()),
        Scheme::Sqlite(path) => sqlite(path, options).await?,
    };
    let capabilities = store.info().into();
    Ok(Opened { store, capabilities })
}

#[cfg(feature = "sqlite")]
async fn sqlite(path: PathBuf, options: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    use haos_store_sqlite::{SqliteOptions, SqliteStore};
    let mut sqlite = SqliteOptions::new(path).create(options.create).busy_ms(options.busy_ms);
    if options.low_memory {
        sqlite = sqlite.low_memory();
    }
    Ok(Arc::new(SqliteStore::open(sqlite).await?))
}

#[cfg(not(feature = "sqlite"))]
async fn sqlite(_: PathBuf, _: &OpenOptions) -> Result<Arc<dyn StorageAdapter>> {
    use haos_store_api::{Error, ErrorKind};
    let message = "this build has no sqlite backend: enable the feature `sqlite` of haos-store";
    Err(Error::new(ErrorKind::Unsupported, "open", message))
}
