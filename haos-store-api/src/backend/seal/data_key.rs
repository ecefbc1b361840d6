//! The keys that seal and name rows, ready for use.

use haos_store_seal::{Cipher, Mac, derive};

use super::Key32;
use crate::Collection;

/// A data key: the subkey of each collection with its key schedule.
pub(super) struct DataKey {
    /// Its number in every envelope. Numbers are given once and grow.
    pub(super) id: u16,
    pub(super) bytes: Key32,
    ciphers: [Cipher; Collection::ALL.len()],
    nonces: Mac,
}

impl DataKey {
    pub(super) fn new(id: u16, bytes: Key32) -> Self {
        let ciphers = Collection::ALL
            .map(|collection| Cipher::new(&derive(&bytes, &format!("haos payload {}", collection.name()))));
        let nonces = Mac::new(&derive(&bytes, "haos nonces"));
        Self { id, bytes, ciphers, nonces }
    }

    /// Returns the keyed hash that makes nonces.
    pub(super) fn nonces(&self) -> Mac {
        self.nonces.clone()
    }

    pub(super) fn cipher(&self, collection: Collection) -> &Cipher {
        &self.ciphers[usize::from(collection.tag() - 1)]
    }
}

/// The index key: the keyed hash of each collection's ids. It stays for the life of the store.
pub(super) struct IndexKey {
    pub(super) bytes: Key32,
    hashes: [Mac; Collection::ALL.len()],
}

impl IndexKey {
    pub(super) fn new(bytes: Key32) -> Self {
        let hashes = Collection::ALL
            .map(|collection| Mac::new(&derive(&bytes, &format!("haos index {}", collection.name()))));
        Self { bytes, hashes }
    }

    pub(super) fn hash(&self, collection: Collection) -> Mac {
        self.hashes[usize::from(collection.tag() - 1)].clone()
    }
}
