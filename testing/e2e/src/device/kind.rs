use std::path::Path;

use haos_store::{OpenOptions, Secret};

/// The key of sealed stores; a passphrase would cost its derivation at every opening.
const KEY: [u8; 32] = [7; 32];

/// The stores that every scenario runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreKind {
    /// SQLite, plain.
    Sqlite,
    /// SQLite, sealed.
    SealedSqlite,
    /// sled, plain.
    Sled,
    /// sled, sealed.
    SealedSled,
}

impl StoreKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::SealedSqlite, Self::Sled, Self::SealedSled];

    /// A name that can be part of a user's.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::SealedSqlite => "sealed-sqlite",
            Self::Sled => "sled",
            Self::SealedSled => "sealed-sled",
        }
    }

    /// The url of a store of this kind in `folder`.
    pub fn url(self, folder: &Path) -> String {
        let (scheme, name) = match self {
            Self::Sqlite | Self::SealedSqlite => ("sqlite", "chat.db"),
            Self::Sled | Self::SealedSled => ("sled", "chat"),
        };
        format!("{scheme}:{}", folder.join(name).display())
    }

    /// The key of a sealed one, as 64 hexadecimal digits.
    pub fn key_hex(self) -> Option<String> {
        self.is_sealed().then(|| KEY.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// How it is opened.
    pub fn open_options(self) -> OpenOptions {
        OpenOptions { secret: self.is_sealed().then(|| Secret::key(KEY)), ..OpenOptions::default() }
    }

    fn is_sealed(self) -> bool {
        matches!(self, Self::SealedSqlite | Self::SealedSled)
    }
}
