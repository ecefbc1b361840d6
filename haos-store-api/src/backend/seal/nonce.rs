//! Nonces: one for each seal, made at that moment.
//!
//! Nothing is fetched ahead, so a forked process or a restored copy of its memory holds no nonce that another one has.
//! And no nonce is the system's randomness alone: it is a keyed hash over fresh random bytes and all sealed input, so
//! that also a source that repeats itself (a virtual machine started twice from one snapshot) gives two different rows
//! two nonces. It costs a hash of the row, less than the sealing itself.

use std::fmt;
use std::sync::Arc;

use haos_store_seal::{Mac, NONCE};

use super::random;
use crate::Result;

/// Random bytes in a nonce's hash.
const FRESH: usize = 16;

type Fill = dyn Fn(&mut [u8]) -> Result<()> + Send + Sync;

/// The source of a nonce's random bytes.
#[derive(Clone)]
pub(super) struct Source(Arc<Fill>);

impl Source {
    /// Takes the system's.
    pub(super) fn system() -> Self {
        Self(Arc::new(random))
    }

    #[cfg(test)]
    pub(super) fn of(source: impl Fn(&mut [u8]) -> Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// Makes the nonce for sealing `body` with the associated data `aad`.
    pub(super) fn nonce(&self, mut hash: Mac, aad: &[u8], body: &[u8]) -> Result<[u8; NONCE]> {
        let mut fresh = [0; FRESH];
        (self.0)(&mut fresh)?;
        // The length separates the one from the other.
        for part in [&fresh[..], &[aad.len() as u8], aad, body] {
            hash.update(part);
        }
        let mut nonce = [0; NONCE];
        nonce.copy_from_slice(&hash.finish()[..NONCE]);
        Ok(nonce)
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source(..)")
    }
}
