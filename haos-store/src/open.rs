use std::sync::Arc;

use haos_store_api::{Error, ErrorKind, KdfLimits, KdfParams, Padding, Result, Secret, StorageAdapter};

use crate::{Capabilities, Scheme, backend};

/// How a store is opened.
///
/// ```
/// use haos_store::{OpenOptions, Secret};
///
/// let options = OpenOptions { secret: Some(Secret::passphrase("red green blue")), ..Default::default() };
/// assert!(!format!("{options:?}").contains("green"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenOptions {
    /// Make the store if it is not there. Default: true.
    pub create: bool,
    /// Check every row or page before the store is used, as after a call that failed with `Corrupt`; what is found
    /// damaged is set aside, with everything readable carried over. SQLite and sled. Default: false.
    pub check: bool,
    /// Trade speed for memory, for phones: see the backend. Default: false.
    pub low_memory: bool,
    /// Make views for people with a SQLite shell, as `messages` and `outbox`, which then stay in the file and make it
    /// slower to open. SQLite, plain stores. Default: false.
    pub views: bool,
    /// How long another process may hold the store before a write fails as `Busy`, in milliseconds; in a
    /// browser, how long another tab may hold an older version before opening fails as `Blocked`.
    /// Default: 5000.
    pub busy_ms: u32,
    /// The passphrase or key of a sealed store; a store that is made is made sealed. Default: none, for
    /// plain stores.
    pub secret: Option<Secret>,
    /// The cost of deriving a key from the passphrase of a new store; a store that is there keeps its own.
    /// Default: [`KdfParams::default`].
    pub kdf: KdfParams,
    /// The most that deriving a key may cost, whatever a store says. Default: [`KdfLimits::default`].
    pub kdf_limits: KdfLimits,
    /// How the lengths of rows that are written to a sealed store are hidden. Default: [`Padding::None`].
    pub padding: Padding,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            create: true,
            check: false,
            low_memory: false,
            views: false,
            busy_ms: 5000,
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            padding: Padding::None,
        }
    }
}

/// An open store and what it is capable of.
#[derive(Debug, Clone)]
pub struct Opened {
    /// The store.
    pub store: Arc<dyn StorageAdapter>,
    /// Its guarantees.
    pub capabilities: Capabilities,
}

/// Opens the plain store at `url`: `sqlite:PATH`, `sled:PATH` or `memory:`, and `idb:NAME` in a browser.
///
/// # Errors
/// `Invalid` for an invalid url, `Unsupported` for a backend that this build does not have, `Sealed`
/// for a store that needs a secret, and those of the backend.
pub async fn open(url: &str) -> Result<Opened> {
    open_with(url, &OpenOptions::default()).await
}

/// Opens the store at `url` with options; see [`open`].
///
/// # Errors
/// As [`open`]. With a secret: `WrongKey` if it does not open the store, `NotSealed` if the store is plain,
/// `Unsupported` for a backend that this build cannot seal.
pub async fn open_with(url: &str, options: &OpenOptions) -> Result<Opened> {
    let scheme: Scheme = url.parse()?;
    if options.views && !matches!(scheme, Scheme::Sqlite(_)) {
        let message = "only a SQLite store has views: open the store without them";
        return Err(Error::new(ErrorKind::Unsupported, "views", message));
    }
    let store: Result<Arc<dyn StorageAdapter>> = match scheme {
        #[cfg(feature = "memory")]
        Scheme::Memory => backend::memory::open(options),
        #[cfg(all(feature = "sqlite", not(target_arch = "wasm32")))]
        Scheme::Sqlite(path) => backend::sqlite::open(path, options).await,
        #[cfg(all(feature = "sled", not(target_arch = "wasm32")))]
        Scheme::Sled(path) => backend::sled::open(path, options).await,
        #[cfg(all(feature = "idb", target_arch = "wasm32"))]
        Scheme::Idb(name) => backend::idb::open(name, options).await,
        other => Err(backend::absent(&other, "open")),
    };
    let store = store?;
    let capabilities = store.info().into();
    Ok(Opened { store, capabilities })
}
