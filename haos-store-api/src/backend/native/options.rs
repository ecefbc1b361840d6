use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::backend::Backend;
use crate::files;
use crate::{Codec, Error, Form, KdfLimits, KdfParams, Padding, Result, Secret};

/// The memory that a store may use; a backend's options document the amounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// All memory that helps.
    #[default]
    Default,
    /// As little as possible.
    LowMemory,
}

/// The treatment of a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDamage {
    /// Rename it, start a fresh one, carry over everything that is readable, and report it in
    /// [`StoreInfo::recovery`](crate::StoreInfo::recovery).
    #[default]
    SetAside,
    /// Fail with `Corrupt` and rename nothing.
    Refuse,
}

/// The location of a store and the way to open it. A backend gives the type a name and its particulars.
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a store is opened with them"]
pub struct Options {
    path: PathBuf,
    pub(super) form: Form,
    /// Plain until the store is open.
    pub codec: Codec,
    /// Until the store is open. Shared by clones, so that the last of them takes it out of memory.
    pub secret: Option<Arc<Secret>>,
    pub(super) kdf: KdfParams,
    pub(super) kdf_limits: KdfLimits,
    /// See [`profile`](Self::profile).
    pub profile: Profile,
    busy_ms: Option<u32>,
    /// See [`on_damage`](Self::on_damage).
    pub on_damage: OnDamage,
    /// See [`create`](Self::create).
    pub create: bool,
    /// See [`check`](Self::check).
    pub check: bool,
}

impl Options {
    /// Names the store at `path`, which is created if it is absent; its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            form: Form::Binary,
            codec: Codec::plain(),
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            profile: Profile::Default,
            busy_ms: None,
            on_damage: OnDamage::SetAside,
            create: true,
            check: false,
        }
    }

    /// Sets the passphrase or key of a sealed store; a new store is made sealed. Default: absent, for plain stores.
    pub fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(Arc::new(secret)), ..self }
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
    /// readable; [`Maintenance::Rotate`](crate::Maintenance::Rotate) pads all.
    pub fn padding(self, padding: Padding) -> Self {
        Self { codec: self.codec.padded(padding), ..self }
    }

    /// Sets the memory it may use. Default: [`Profile::Default`].
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// Sets [`Profile::LowMemory`].
    pub fn low_memory(self) -> Self {
        self.profile(Profile::LowMemory)
    }

    /// Sets the wait for another holder of the store, after which a call fails with `Busy`. Default: the backend's.
    pub fn busy_ms(self, busy_ms: u32) -> Self {
        Self { busy_ms: Some(busy_ms), ..self }
    }

    /// Sets the treatment of a damaged store. Default: [`OnDamage::SetAside`].
    pub fn on_damage(self, on_damage: OnDamage) -> Self {
        Self { on_damage, ..self }
    }

    /// Creates an absent store, or not. Default: yes.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Checks the whole store before it is used, for instance after a call that failed with `Corrupt`. Default: no;
    /// only the parts that opening needs and the outbox are checked.
    pub fn check(self, check: bool) -> Self {
        Self { check, ..self }
    }

    /// Returns the store's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the wait for other holders.
    pub fn busy(&self) -> Duration {
        Duration::from_millis(self.busy_ms.unwrap_or_default().into())
    }

    /// Returns the same at the real path, with the backend's defaults.
    ///
    /// # Errors
    /// `Invalid` and `Io` for a path that cannot hold a store.
    pub fn resolved<B: Backend>(self) -> Result<Self> {
        if self.path.as_os_str().is_empty() || self.path.as_os_str() == ":memory:" {
            let message = format!("give the path of a {}; for a store in memory use `MemoryStore`", B::PLACE);
            return Err(Error::invalid("open", message));
        }
        let (path, codec) = (files::resolve(&self.path)?, self.codec.in_form(B::FORM));
        Ok(Self { path, codec, form: B::FORM, busy_ms: self.busy_ms.or(Some(B::BUSY_MS)), ..self })
    }

    /// Returns the same at another path.
    pub fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// Returns the same without a secret.
    pub fn no_secret(self) -> Self {
        Self { secret: None, ..self }
    }

    /// Returns the same with the keys that its secret opened, in place of the secret.
    pub fn unlocked(self, codec: Codec) -> Self {
        Self { codec, secret: None, ..self }
    }
}
