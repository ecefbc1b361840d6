//! The options of opening a store.

use std::rc::Rc;

use haos_store_api::{KdfLimits, KdfParams, Padding, Secret};

/// The database of a store and the way to open it.
///
/// ```
/// use haos_store_idb::IdbOptions;
///
/// let options = IdbOptions::new("chat").blocked_ms(2000);
/// assert_eq!(options.name(), "chat");
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "only a browser opens a store with them"))]
#[must_use = "options do nothing until a store is opened with them"]
pub struct IdbOptions {
    pub(crate) name: String,
    /// Shared by clones, so that the last of them takes it out of memory.
    pub(crate) secret: Option<Rc<Secret>>,
    pub(crate) kdf: KdfParams,
    pub(crate) kdf_limits: KdfLimits,
    pub(crate) padding: Padding,
    pub(crate) create: bool,
    pub(crate) blocked_ms: u32,
    pub(crate) open_ms: u32,
    pub(crate) memory_bytes: usize,
}

impl IdbOptions {
    /// Names the store in the database `name` of this origin, which is created if it is absent.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            padding: Padding::None,
            create: true,
            blocked_ms: 5000,
            open_ms: 20_000,
            memory_bytes: 8 << 20,
        }
    }

    /// Sets the passphrase or key of a sealed store; a new store is made sealed. Default: absent, for plain stores,
    /// whose rows have a checksum each.
    pub fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(Rc::new(secret)), ..self }
    }

    /// Sets the cost of deriving a key from the passphrase of a new store. Default: [`KdfParams::default`]; an existing
    /// store keeps its own.
    pub fn kdf(self, kdf: KdfParams) -> Self {
        Self { kdf, ..self }
    }

    /// Limits the cost of deriving a key, also for stored parameters. Default: [`KdfLimits::default`].
    pub fn kdf_limits(self, kdf_limits: KdfLimits) -> Self {
        Self { kdf_limits, ..self }
    }

    /// Sets the padding of rows that are written to a sealed store. Default: [`Padding::None`]. Rows of any padding are
    /// readable; [`Maintenance::Rotate`](haos_store_api::Maintenance::Rotate) pads all.
    pub fn padding(self, padding: Padding) -> Self {
        Self { padding, ..self }
    }

    /// Creates an absent database, or not. Default: yes.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Sets the wait of opening for another tab that holds an older version, in milliseconds, after which it fails with
    /// `Blocked`. Default: 5000.
    pub fn blocked_ms(self, blocked_ms: u32) -> Self {
        Self { blocked_ms, ..self }
    }

    /// Limits the time of opening in all, in milliseconds, after which it fails with `Busy`: browsers are known to
    /// leave such a request without an answer. Default: 20000.
    pub fn open_ms(self, open_ms: u32) -> Self {
        Self { open_ms, ..self }
    }

    /// Limits what the store keeps in memory of what it read, in bytes, about: above it, half is forgotten, what was not used
    /// for longest first. Commits that are not folded yet come on top. Default: 8 MiB.
    pub fn memory_bytes(self, memory_bytes: usize) -> Self {
        Self { memory_bytes, ..self }
    }

    /// Returns the database's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
