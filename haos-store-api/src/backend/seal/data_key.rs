//! The keys that seal and name rows, ready for use.

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::KeyInit;
use hmac::Hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{Key32, derive};
use crate::Collection;

/// A data key: the subkey of each collection with its key schedule.
pub(super) struct DataKey {
    /// Its number in every envelope. Numbers are given once and grow.
    pub(super) id: u16,
    pub(super) bytes: Key32,
    ciphers: [Aes256Gcm; Collection::ALL.len()],
    nonces: Hmac<Sha256>,
}

impl DataKey {
    pub(super) fn new(id: u16, bytes: Key32) -> Self {
        let ciphers = Collection::ALL.map(|collection| {
            Aes256Gcm::new((&*derive(&bytes, &format!("haos payload {}", collection.name()))).into())
        });
        let nonces = keyed_hash(&derive(&bytes, "haos nonces"));
        Self { id, bytes, ciphers, nonces }
    }

    /// Returns the keyed hash that makes nonces.
    pub(super) fn nonces(&self) -> Hmac<Sha256> {
        self.nonces.clone()
    }

    pub(super) fn cipher(&self, collection: Collection) -> &Aes256Gcm {
        &self.ciphers[usize::from(collection.tag() - 1)]
    }
}

/// The index key: the keyed hash of each collection's ids. It stays for the life of the store.
pub(super) struct IndexKey {
    pub(super) bytes: Key32,
    hashes: [Hmac<Sha256>; Collection::ALL.len()],
}

impl IndexKey {
    pub(super) fn new(bytes: Key32) -> Self {
        let hashes = Collection::ALL
            .map(|collection| keyed_hash(&derive(&bytes, &format!("haos index {}", collection.name()))));
        Self { bytes, hashes }
    }

    pub(super) fn hash(&self, collection: Collection) -> Hmac<Sha256> {
        self.hashes[usize::from(collection.tag() - 1)].clone()
    }
}

fn keyed_hash(key: &Key32) -> Hmac<Sha256> {
    // A short key counts as if zeros filled it up to the block.
    let mut block = Zeroizing::new([0; 64]);
    block[..32].copy_from_slice(&**key);
    <Hmac<Sha256> as KeyInit>::new((&*block).into())
}
