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

impl KdfParams {
    /// The stronger of both, each dimension for itself.
    #[must_use]
    pub fn or_stronger(self, other: Self) -> Self {
        Self {
            memory_kib: self.memory_kib.max(other.memory_kib),
            passes: self.passes.max(other.passes),
            lanes: self.lanes.max(other.lanes),
        }
    }
}

/// The most that deriving a key may cost. Stored parameters are read before anything of the store is known to be
/// authentic: whoever can write the file could ask for all memory, or for hours.
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
    /// Everything that [`KdfParams`] can say.
    pub const MAX: Self = Self { memory_kib: 1 << 20, passes: 64, lanes: 16 };

    /// What parameters ask for, if it is more than this allows.
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
    /// 256 MiB, 16 passes and 8 lanes; in a browser, whose tab may have no more than some hundred MiB, 64 MiB,
    /// 8 passes and 4 lanes. That is seconds at most.
    fn default() -> Self {
        if cfg!(target_arch = "wasm32") {
            Self { memory_kib: 64 << 10, passes: 8, lanes: 4 }
        } else {
            Self { memory_kib: 256 << 10, passes: 16, lanes: 8 }
        }
    }
}

/// What the lengths of sealed rows tell: anybody with the file sees them. Rows of any padding are read whatever
/// is set; it counts for what is written, and a rotation pads every row anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Padding {
    /// The length of each body, to the byte.
    #[default]
    None,
    /// A few bits of the length, for an eighth more bytes at most: Padmé.
    Padme,
    /// The next power of two, from 256 bytes on: short messages all look alike, for up to twice the bytes. What is
    /// larger than 64 KiB is padded as by [`Padme`](Self::Padme).
    Buckets,
}

/// A change of who can open a sealed store. Rows are not touched: it takes milliseconds at any size. Copies that were
/// set aside as damaged ([`StoreInfo::set_aside`](crate::StoreInfo::set_aside)) open with what opened them then.
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
    /// Nobody can open the store any more, for good: its rows are noise. The store is closed by it. Copies of it that
    /// were set aside as damaged are overwritten and removed.
    Shred,
}
