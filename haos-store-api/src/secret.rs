//! What opens a sealed store, and how that changes.

use std::fmt;

use zeroize::Zeroizing;

/// What opens a sealed store. It is wiped from memory when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// Words that a person types; a key is derived from them with Argon2id.
    Passphrase(Zeroizing<String>),
    /// 32 random bytes, such as a platform's key store keeps, or a recovery key.
    Key(Zeroizing<[u8; 32]>),
}

impl Secret {
    /// A passphrase.
    pub fn passphrase(words: impl Into<String>) -> Self {
        Self::Passphrase(Zeroizing::new(words.into()))
    }

    /// A key.
    pub fn key(bytes: [u8; 32]) -> Self {
        Self::Key(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Secret::Passphrase(..)",
            Self::Key(_) => "Secret::Key(..)",
        })
    }
}

/// The cost of deriving a key from a passphrase with Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfParams {
    /// Memory in KiB, from 8 a lane up to 1 GiB in all.
    pub memory_kib: u32,
    /// Passes over it, 1 to 64.
    pub passes: u32,
    /// Lanes, 1 to 16.
    pub lanes: u32,
}

impl Default for KdfParams {
    /// 19 MiB and two passes: OWASP's first choice for Argon2id, about 25 ms on a laptop.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// A change of who can open a sealed store. Rows are not touched: it takes milliseconds at any size. Copies that were
/// set aside as damaged ([`StoreInfo::set_aside`](crate::StoreInfo::set_aside)) open with what opened them then.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// This passphrase opens the store from now on, and no other.
    SetPassphrase(Secret, KdfParams),
    /// No passphrase opens the store any more.
    RemovePassphrase,
    /// This key opens the store too, under a name of up to 64 bytes that is stored as it is; a key of that
    /// name is replaced.
    AddKey(String, Secret),
    /// The key of this name opens the store no more.
    RemoveKey(String),
    /// Nobody can open the store any more, for good: its rows are noise. The store is closed by it. Copies of it that
    /// were set aside as damaged are overwritten and removed.
    Shred,
}
