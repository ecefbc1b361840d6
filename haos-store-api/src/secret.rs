//! The secrets that open a sealed store, and their changes.

use std::fmt;

use zeroize::Zeroizing;

/// A secret that opens a sealed store. It is wiped from memory when dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secret {
    /// Words that a person types; Argon2id derives a key from them.
    Passphrase(Zeroizing<String>),
    /// 32 random bytes, kept for instance by a platform's key store, or a recovery key.
    Key(Zeroizing<[u8; 32]>),
}

impl Secret {
    /// Makes a passphrase.
    pub fn passphrase(words: impl Into<String>) -> Self {
        Self::Passphrase(Zeroizing::new(words.into()))
    }

    /// Makes a key.
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
    /// Returns 19 MiB and two passes: OWASP's first choice for Argon2id, about 25 ms on a laptop.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl KdfParams {
    /// Returns the higher cost in each dimension.
    #[must_use]
    pub fn or_stronger(self, other: Self) -> Self {
        Self {
            memory_kib: self.memory_kib.max(other.memory_kib),
            passes: self.passes.max(other.passes),
            lanes: self.lanes.max(other.lanes),
        }
    }
}

/// The highest cost of deriving a key. Stored parameters are read before any part of the store is known to be
/// authentic: anybody who can write the file could demand all memory, or hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KdfLimits {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl KdfLimits {
    /// The range of [`KdfParams`].
    pub const MAX: Self = Self { memory_kib: 1 << 20, passes: 64, lanes: 16 };

    /// Names the costs that exceed the limits, if any does.
    pub(crate) fn excess(self, kdf: KdfParams) -> Option<String> {
        let KdfParams { memory_kib, passes, lanes } = kdf;
        let is_over = memory_kib > self.memory_kib || passes > self.passes || lanes > self.lanes;
        is_over.then(|| {
            format!(
                "{memory_kib} KiB, {passes} passes and {lanes} lanes (the limits are {} KiB, {} and {})",
                self.memory_kib, self.passes, self.lanes
            )
        })
    }
}

impl Default for KdfLimits {
    /// Returns 256 MiB, 16 passes and 8 lanes; in a browser, whose tab may have no more than some hundred MiB, 64 MiB,
    /// 8 passes and 4 lanes. That is seconds at most.
    fn default() -> Self {
        if cfg!(target_arch = "wasm32") {
            Self { memory_kib: 64 << 10, passes: 8, lanes: 4 }
        } else {
            Self { memory_kib: 256 << 10, passes: 16, lanes: 8 }
        }
    }
}

/// The padding of sealed rows, whose lengths anybody with the file sees. Rows of any padding are readable under any
/// setting; it applies to writes, and a rotation pads every row again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Padding {
    /// Lengths are exact: each tells its body's size.
    #[default]
    None,
    /// A few bits of the length, for an eighth more bytes at most: Padmé.
    Padme,
    /// The next power of two, from 256 bytes on: short messages all look alike, for up to twice the bytes. A body
    /// larger than 64 KiB is padded as by [`Padme`](Self::Padme).
    Buckets,
}

/// A change of who can open a sealed store. Touches no row: it takes milliseconds at any size. Copies that were set
/// aside as damaged ([`StoreInfo::set_aside`](crate::StoreInfo::set_aside)) still open with their secrets of then.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChange {
    /// This passphrase opens the store from now on, and no other, at this cost or, in each dimension, that of the
    /// one before if that is higher. It must not be empty, and counts in the Unicode form NFKC.
    SetPassphrase(Secret, KdfParams),
    /// As [`SetPassphrase`](Self::SetPassphrase), at exactly this cost, also if it is lower than before.
    SetPassphraseExactly(Secret, KdfParams),
    /// No passphrase opens the store any more.
    RemovePassphrase,
    /// This key opens the store too, under a name of up to 64 bytes that is stored as it is; a key of that
    /// name is replaced.
    AddKey(String, Secret),
    /// The key of this name opens the store no more.
    RemoveKey(String),
    /// Nobody can open the store any more: its rows are noise for good. Closes the store. Overwrites and removes its
    /// copies that were set aside as damaged.
    Shred,
}
