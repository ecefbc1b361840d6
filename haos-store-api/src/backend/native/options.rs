use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::backend::Backend;
use crate::files;
use crate::{Codec, Error, Form, KdfLimits, KdfParams, Padding, Result, Secret};

/// How much memory a store may use; the documentation of a backend's options says what that comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Profile {
    /// As much as helps.
    #[default]
    Default,
    /// Little.
    LowMemory,
}

/// What to do with a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnDamage {
    /// Rename it, start a fresh one, carry over what can be read of the outbox, and say so in
    /// [`StoreInfo::recovery`](crate::StoreInfo::recovery).
    #[default]
    SetAside,
    /// Fail with `Corrupt` and rename nothing.
    Refuse,
}

/// Where a store lives and how it is opened. A backend names it with what is particular to it.
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
    /// The store at `path`, which is created if it is missing; the folder that it is to be in must exist.
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

    /// The passphrase or key of a sealed store; a store that is made is made sealed. Default: none, for plain stores.
    pub fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(Arc::new(secret)), ..self }
    }

    /// What deriving a key from the passphrase of a new store costs. Default: [`KdfParams::default`]; a store that is
    /// there keeps its own.
    pub fn kdf(self, kdf: KdfParams) -> Self {
        Self { kdf, ..self }
    }

    /// The most that deriving a key may cost, whatever a store says. Default: [`KdfLimits::default`].
    pub fn kdf_limits(self, kdf_limits: KdfLimits) -> Self {
        Self { kdf_limits, ..self }
    }

    /// How the lengths of rows that are written to a sealed store are hidden. Default: [`Padding::None`]. Every
    /// row is read, however it is padded; [`Maintenance::Rotate`](crate::Maintenance::Rotate) pads all.
    pub fn padding(self, padding: Padding) -> Self {
        Self { codec: self.codec.padded(padding), ..self }
    }

    /// How much memory it may use. Default: [`Profile::Default`].
    pub fn profile(self, profile: Profile) -> Self {
        Self { profile, ..self }
    }

    /// [`Profile::LowMemory`].
    pub fn low_memory(self) -> Self {
        self.profile(Profile::LowMemory)
    }

    /// How long somebody else who holds the store is waited for before a call fails with `Busy`. Default: the
    /// backend's.
    pub fn busy_ms(self, busy_ms: u32) -> Self {
        Self { busy_ms: Some(busy_ms), ..self }
    }

    /// What to do with a damaged store. Default: [`OnDamage::SetAside`].
    pub fn on_damage(self, on_damage: OnDamage) -> Self {
        Self { on_damage, ..self }
    }

    /// Whether a missing store is created. Default: yes.
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// Whether everything is checked before the store is used, as after a call that failed with `Corrupt`. It reads
    /// the whole store. Default: no; only the parts that opening needs and the outbox are checked.
    pub fn check(self, check: bool) -> Self {
        Self { check, ..self }
    }

    /// Where the store lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long others are waited for.
    pub fn busy(&self) -> Duration {
        Duration::from_millis(self.busy_ms.unwrap_or_default().into())
    }

    /// The same at the real path, with what is the backend's own.
    ///
    /// # Errors
    /// `Invalid` and `Io` for a path that can hold no store.
    pub fn resolved<B: Backend>(self) -> Result<Self> {
        if self.path.as_os_str().is_empty() || self.path.as_os_str() == ":memory:" {
            let message = format!("give the path of a {}; for a store in memory use `MemoryStore`", B::PLACE);
            return Err(Error::invalid("open", message));
        }
        let (path, codec) = (files::resolve(&self.path)?, self.codec.in_form(B::FORM));
        Ok(Self { path, codec, form: B::FORM, busy_ms: self.busy_ms.or(Some(B::BUSY_MS)), ..self })
    }

    /// The same at another path.
    pub fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// The same without a secret.
    pub fn no_secret(self) -> Self {
        Self { secret: None, ..self }
    }

    /// The same with the keys that its secret opened, in place of the secret.
    pub fn unlocked(self, codec: Codec) -> Self {
        Self { codec, secret: None, ..self }
    }
}
