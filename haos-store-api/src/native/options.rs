use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::backend::Backend;
use crate::files;
use crate::{Codec, Error, Form, KdfLimits, KdfParams, Padding, Result, Secret};

/// How much memory a store may use. What that comes to is in the backend's options.
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

/// Where a store lives and how it is opened: what the options of every backend hold.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the store lives.
    pub path: PathBuf,
    /// The form of payloads.
    pub form: Form,
    /// Plain until the store is open.
    pub codec: Codec,
    /// Until the store is open. Shared by clones, so that the last of them takes it out of memory.
    pub secret: Option<Arc<Secret>>,
    /// The cost of a new store's passphrase.
    pub kdf: KdfParams,
    /// The most that a passphrase may cost.
    pub kdf_limits: KdfLimits,
    /// How much memory it may use.
    pub profile: Profile,
    /// How long others are waited for, in milliseconds.
    pub busy_ms: u32,
    /// What to do with a damaged store.
    pub on_damage: OnDamage,
    /// Whether a missing store is created.
    pub create: bool,
    /// Whether everything is checked before the store is used.
    pub check: bool,
}

impl Options {
    /// The store at `path`, with payloads in this form.
    pub fn new(path: PathBuf, form: Form, busy_ms: u32) -> Self {
        Self {
            path,
            form,
            codec: Codec::plain().in_form(form),
            secret: None,
            kdf: KdfParams::default(),
            kdf_limits: KdfLimits::default(),
            profile: Profile::Default,
            busy_ms,
            on_damage: OnDamage::SetAside,
            create: true,
            check: false,
        }
    }

    /// Where the store lives.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The same at another path.
    #[must_use]
    pub fn at(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// The same at the real path.
    pub(super) fn resolved<B: Backend>(self) -> Result<Self> {
        if self.path.as_os_str().is_empty() || self.path.as_os_str() == ":memory:" {
            let message = format!("give the path of a {}; for a store in memory use `MemoryStore`", B::PLACE);
            return Err(Error::invalid("open", message));
        }
        let path = files::resolve(&self.path)?;
        Ok(self.at(path))
    }

    /// The same with a secret.
    #[must_use]
    pub fn secret(self, secret: Secret) -> Self {
        Self { secret: Some(Arc::new(secret)), ..self }
    }

    /// The same without a secret.
    #[must_use]
    pub fn no_secret(self) -> Self {
        Self { secret: None, ..self }
    }

    /// The same with the keys that its secret opened, in place of the secret.
    #[must_use]
    pub fn unlocked(self, codec: Codec) -> Self {
        Self { codec, secret: None, ..self }
    }

    /// The same with this padding.
    #[must_use]
    pub fn padding(self, padding: Padding) -> Self {
        Self { codec: self.codec.padded(padding), ..self }
    }

    /// The same, where a missing store is created or not.
    #[must_use]
    pub fn create(self, create: bool) -> Self {
        Self { create, ..self }
    }

    /// The same, where everything is checked or not.
    #[must_use]
    pub fn check(self, check: bool) -> Self {
        Self { check, ..self }
    }
}

/// Makes a backend's options of a type that holds [`Options`](crate::native::Options), `struct Name(Options)`: every
/// method but `new`.
#[macro_export]
macro_rules! native_options {
    ($name:ident, $(#[$busy:meta])+ busy_ms, $(#[$check:meta])+ check) => {
        impl $name {
            /// The passphrase or key of a sealed store; a store that is made is made sealed. Default: none, for plain
            /// stores.
            pub fn secret(self, secret: $crate::Secret) -> Self {
                Self(self.0.secret(secret))
            }

            /// What deriving a key from the passphrase of a new store costs. Default:
            /// [`KdfParams::default`](haos_store_api::KdfParams); a store that is there keeps its own.
            pub fn kdf(self, kdf: $crate::KdfParams) -> Self {
                Self($crate::native::Options { kdf, ..self.0 })
            }

            /// The most that deriving a key may cost, whatever a store says. Default:
            /// [`KdfLimits::default`](haos_store_api::KdfLimits).
            pub fn kdf_limits(self, kdf_limits: $crate::KdfLimits) -> Self {
                Self($crate::native::Options { kdf_limits, ..self.0 })
            }

            /// How the lengths of rows that are written to a sealed store are hidden. Default:
            /// [`Padding::None`](haos_store_api::Padding::None). Every row is read, however it is padded;
            /// [`Maintenance::Rotate`](haos_store_api::Maintenance::Rotate) pads all.
            pub fn padding(self, padding: $crate::Padding) -> Self {
                Self(self.0.padding(padding))
            }

            /// How much memory it may use. Default: [`Profile::Default`](haos_store_api::native::Profile::Default).
            pub fn profile(self, profile: $crate::native::Profile) -> Self {
                Self($crate::native::Options { profile, ..self.0 })
            }

            /// [`Profile::LowMemory`](haos_store_api::native::Profile::LowMemory).
            pub fn low_memory(self) -> Self {
                self.profile($crate::native::Profile::LowMemory)
            }

            $(#[$busy])+
            pub fn busy_ms(self, busy_ms: u32) -> Self {
                Self($crate::native::Options { busy_ms, ..self.0 })
            }

            /// What to do with a damaged store. Default: [`OnDamage::SetAside`](haos_store_api::native::OnDamage::SetAside).
            pub fn on_damage(self, on_damage: $crate::native::OnDamage) -> Self {
                Self($crate::native::Options { on_damage, ..self.0 })
            }

            /// Whether a missing store is created. Default: yes.
            pub fn create(self, create: bool) -> Self {
                Self(self.0.create(create))
            }

            $(#[$check])+
            pub fn check(self, check: bool) -> Self {
                Self(self.0.check(check))
            }

            /// Where the store lives.
            pub fn path(&self) -> &::std::path::Path {
                self.0.path()
            }
        }
    };
}
