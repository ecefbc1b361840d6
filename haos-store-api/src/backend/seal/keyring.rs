//! The keys of an open store.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use haos_store_seal::{Cipher, Mac, NONCE, TAG, derive};

use super::data_key::{DataKey, IndexKey};
use super::nonce::Source;
use super::padding::unpad;
use super::record::{Body, Record};
use super::slot::Slots;
use super::{Key32, decrypt, encrypt, random_key};
use crate::backend::codec::{PADDED, SEALED};
use crate::{Collection, Error, ErrorKind, KdfLimits, KdfParams, KeyChange, Padding, Result, Secret};

/// `version | key id | nonce`, before the ciphertext and its tag.
pub(crate) const HEADER: usize = 1 + 2 + NONCE;
/// Bytes that sealing adds to a row.
pub(crate) const OVERHEAD: usize = HEADER + TAG;

/// The keys of a sealed store, once a secret has opened them. Cheap to clone; all clones see a change.
///
/// A backend stores [`Keyring::record`] with the rows, writes a new record in one commit with the rows it belongs to,
/// and then has the keyring [`adopt`](Keyring::adopt) it.
#[derive(Clone)]
pub struct Keyring(Arc<Shared>);

struct Shared {
    master: Key32,
    keys: RwLock<Arc<Keys>>,
    nonces: Source,
    limits: KdfLimits,
}

struct Keys {
    record: Record,
    index: IndexKey,
    /// By number; the last one seals. More than one during a rotation.
    data: Vec<Arc<DataKey>>,
    /// Keys that are no longer stored, for readers of an older snapshot.
    retired: Vec<Arc<DataKey>>,
}

impl Keyring {
    /// Makes new random keys, which `secret` opens, within the default [`KdfLimits`].
    ///
    /// # Errors
    /// `Invalid` for an empty passphrase and for parameters out of range or over a limit, `Unavailable` if the
    /// system gives no randomness.
    pub fn create(secret: &Secret, kdf: KdfParams) -> Result<Self> {
        Self::create_within(secret, kdf, KdfLimits::default())
    }

    /// Makes new random keys, which `secret` opens.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_within(secret: &Secret, kdf: KdfParams, limits: KdfLimits) -> Result<Self> {
        let (master, first) = (random_key()?, random_key()?);
        let body = Body { index: *random_key()?, keys: vec![(1, *first)] };
        let record = Record::new(1, Slots::of(secret, kdf, limits, &master)?, &body, &master)?;
        Ok(Self::of(master, limits, Keys::new(record, &body)))
    }

    /// Opens the keys of a stored record, within the default [`KdfLimits`].
    ///
    /// # Errors
    /// As [`unlock_within`](Self::unlock_within).
    pub fn unlock(record: &[u8], secret: &Secret) -> Result<Self> {
        Self::unlock_within(record, secret, KdfLimits::default())
    }

    /// Opens the keys of a stored record. Derives one key from a passphrase, at the cost that the record names, within
    /// `limits`.
    ///
    /// # Errors
    /// `WrongKey` if the secret opens no slot or the store was shredded; `Unsupported` if the record exceeds `limits`;
    /// `Corrupt` or `NewerSchema` for an invalid record. Nothing is changed.
    pub fn unlock_within(record: &[u8], secret: &Secret, limits: KdfLimits) -> Result<Self> {
        let record = Record::from_bytes(record)?;
        if record.slots.is_empty() {
            return Err(shredded());
        }
        let master = record
            .slots
            .open(secret, limits)?
            .ok_or_else(|| wrong("this passphrase or key does not open the store: give the right one"))?;
        let body = record.body(&master)?;
        Ok(Self::of(master, limits, Keys::new(record, &body)))
    }

    fn of(master: Key32, limits: KdfLimits, keys: Keys) -> Self {
        let keys = RwLock::new(Arc::new(keys));
        Self(Arc::new(Shared { master, keys, nonces: Source::system(), limits }))
    }

    /// Opens the same keys, with nonces from another source.
    #[cfg(test)]
    pub(super) fn with_nonces(record: &[u8], secret: &Secret, nonces: Source) -> Result<Self> {
        let mut keyring = Self::unlock(record, secret)?;
        if let Some(shared) = Arc::get_mut(&mut keyring.0) {
            shared.nonces = nonces;
        }
        Ok(keyring)
    }

    fn keys(&self) -> Arc<Keys> {
        self.0.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the record to store.
    ///
    /// # Errors
    /// Never for a keyring of this library.
    pub fn record(&self) -> Result<Vec<u8>> {
        Ok(self.keys().record.to_bytes())
    }

    /// Takes over a record that another process, or this one, has stored; tells whether it was new. An older record
    /// than the present one is not.
    ///
    /// # Errors
    /// `WrongKey` once the store was shredded; `Corrupt` for a record under another master key.
    pub fn adopt(&self, record: &[u8]) -> Result<bool> {
        let record = Record::from_bytes(record)?;
        if record.slots.is_empty() {
            return Err(shredded());
        }
        // Held from the look to the change, so that of two records the later one stays.
        let mut keys = self.0.keys.write().unwrap_or_else(PoisonError::into_inner);
        if record == keys.record || record.generation < keys.record.generation {
            return Ok(false);
        }
        let body = record.body(&self.0.master)?;
        let mut new = Keys::new(record, &body);
        let before = keys.retired.iter().chain(&keys.data);
        new.retired = before.filter(|key| new.data.iter().all(|new| new.id != key.id)).cloned().collect();
        *keys = Arc::new(new);
        Ok(true)
    }

    /// Returns the generation, which grows with every change of the record.
    pub fn generation(&self) -> u64 {
        self.keys().record.generation
    }

    /// Returns the number of the data key that seals.
    pub fn sealing_key(&self) -> u16 {
        self.keys().sealing().id
    }

    /// Makes the record after a change of secrets.
    ///
    /// # Errors
    /// `Invalid` for an impossible change.
    pub fn changed(&self, change: &KeyChange) -> Result<Vec<u8>> {
        let keys = self.keys();
        let mut slots = keys.record.slots.clone();
        match change {
            KeyChange::SetPassphrase(secret, kdf) => {
                let kdf = slots.kdf().map_or(*kdf, |stored| kdf.or_stronger(stored));
                slots.set_passphrase(secret, kdf, self.0.limits, &self.0.master)?;
            }
            KeyChange::SetPassphraseExactly(secret, kdf) => {
                slots.set_passphrase(secret, *kdf, self.0.limits, &self.0.master)?;
            }
            KeyChange::RemovePassphrase => slots.remove_passphrase()?,
            KeyChange::AddKey(name, secret) => slots.add_key(name, secret, &self.0.master)?,
            KeyChange::RemoveKey(name) => slots.remove_key(name)?,
            KeyChange::Shred => return Ok(Record::shredded(keys.record.generation + 1).to_bytes()),
        }
        self.next(&keys, slots, &keys.body())
    }

    /// Makes the record with a new data key; `None` during a rotation.
    ///
    /// # Errors
    /// `Unsupported` after 65,535 rotations.
    pub fn rotation_begun(&self) -> Result<Option<Vec<u8>>> {
        let keys = self.keys();
        if keys.data.len() > 1 {
            return Ok(None);
        }
        let Some(id) = keys.sealing().id.checked_add(1) else {
            let message = "the numbers of data keys are used up: unseal the store and seal it again";
            return Err(Error::new(ErrorKind::Unsupported, "rotate", message));
        };
        let mut body = keys.body();
        body.keys.push((id, *random_key()?));
        self.next(&keys, keys.record.slots.clone(), &body).map(Some)
    }

    /// Makes the record without any data key but `sealing`, under which every readable row is by now; `None` if another
    /// rotation has begun meanwhile, or this one has already ended.
    ///
    /// # Errors
    /// `Unavailable` if the system gives no randomness.
    pub fn rotation_ended(&self, sealing: u16) -> Result<Option<Vec<u8>>> {
        let keys = self.keys();
        if keys.sealing().id != sealing || keys.data.len() == 1 {
            return Ok(None);
        }
        let mut body = keys.body();
        let old = body.keys.len() - 1;
        body.keys.drain(..old);
        self.next(&keys, keys.record.slots.clone(), &body).map(Some)
    }

    fn next(&self, keys: &Keys, slots: Slots, body: &Body) -> Result<Vec<u8>> {
        Ok(Record::new(keys.record.generation + 1, slots, body, &self.0.master)?.to_bytes())
    }

    /// Returns the keyed hash of a collection's ids.
    pub(crate) fn index_hash(&self, collection: Collection) -> Mac {
        self.keys().index.hash(collection)
    }

    /// Begins an envelope: the body is to be appended.
    pub(crate) fn envelope(&self, capacity: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(OVERHEAD + capacity);
        bytes.resize(HEADER, 0);
        bytes
    }

    /// Seals the body of an envelope. The associated data begin with the version.
    pub(crate) fn seal(&self, collection: Collection, aad: &[u8], bytes: &mut Vec<u8>) -> Result<()> {
        let keys = self.keys();
        let key = keys.sealing();
        let nonce = self.0.nonces.nonce(key.nonces(), aad, &bytes[HEADER..])?;
        bytes[0] = aad[0];
        bytes[1..3].copy_from_slice(&key.id.to_be_bytes());
        bytes[3..HEADER].copy_from_slice(&nonce);
        encrypt(key.cipher(collection), &nonce, aad, bytes, HEADER)
    }

    /// Opens the body of an envelope, its padding included; `None` if it is not authentic.
    ///
    /// # Errors
    /// `WrongKey` if the keyring does not hold its key.
    pub(crate) fn open(&self, collection: Collection, aad: &[u8], bytes: &[u8]) -> Result<Option<Vec<u8>>> {
        let [SEALED | PADDED, a, b, rest @ ..] = bytes else { return Ok(None) };
        let id = u16::from_be_bytes([*a, *b]);
        let keys = self.keys();
        let key = keys.data.iter().chain(&keys.retired).find(|key| key.id == id).ok_or_else(|| {
            wrong(&format!(
                "a row of {} is sealed under key {id}, which the keyring does not hold: run `Maintenance::Check` on the \
                 store",
                collection.name()
            ))
        })?;
        let Some((nonce, sealed)) = rest.split_first_chunk::<NONCE>() else { return Ok(None) };
        Ok(decrypt(key.cipher(collection), nonce, aad, sealed))
    }

    /// Returns the key of one purpose beside the rows, derived from the data key that seals: a rotation changes it. It
    /// opens no row, and nothing of another purpose, so that it may be handed out.
    pub fn key_beside(&self, purpose: &str) -> Key32 {
        derive(&self.keys().sealing().bytes, purpose)
    }

    /// Seals a record beside the rows under the key of its purpose, bound to its head:
    /// `head | key id | nonce | ciphertext | tag`. The text is padded in any case, be it by the mark alone.
    ///
    /// # Errors
    /// `Unavailable` if the system gives no randomness.
    pub fn seal_beside(&self, purpose: &str, padding: Padding, head: &[u8], body: &[u8]) -> Result<Vec<u8>> {
        let keys = self.keys();
        let key = keys.sealing();
        let bound = [head, &key.id.to_be_bytes()].concat();
        let from = bound.len() + NONCE;
        let mut bytes = [&bound, [0; NONCE].as_slice(), body].concat();
        padding.pad(&mut bytes, from);
        let nonce = self.0.nonces.nonce(key.nonces(), &bound, &bytes[from..])?;
        bytes[bound.len()..from].copy_from_slice(&nonce);
        encrypt(&Cipher::new(&derive(&key.bytes, purpose)), &nonce, &bound, &mut bytes, from)?;
        Ok(bytes)
    }

    /// Opens a record of [`seal_beside`](Self::seal_beside) with a head of so many bytes; `None` if it is not authentic,
    /// or under a key that is not held.
    pub fn open_beside(&self, purpose: &str, head: usize, record: &[u8]) -> Option<Vec<u8>> {
        let (bound, rest) = record.split_at_checked(head.checked_add(2)?)?;
        let id = u16::from_be_bytes(*bound.last_chunk()?);
        let keys = self.keys();
        let key = keys.data.iter().find(|key| key.id == id)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        unpad(decrypt(&Cipher::new(&derive(&key.bytes, purpose)), nonce, bound, sealed)?)
    }

    /// Tells whether an envelope is sealed with the present key.
    pub(crate) fn is_current(&self, bytes: &[u8]) -> bool {
        matches!(bytes, [SEALED | PADDED, a, b, ..] if u16::from_be_bytes([*a, *b]) == self.keys().sealing().id)
    }

    /// Tells whether rows may be sealed under an older key than the current one.
    pub fn is_rotating(&self) -> bool {
        self.keys().data.len() > 1
    }
}

impl Keys {
    fn new(record: Record, body: &Body) -> Self {
        let data = body.keys.iter().map(|(id, bytes)| Arc::new(DataKey::new(*id, Key32::new(*bytes))));
        Self {
            record,
            index: IndexKey::new(Key32::new(body.index)),
            data: data.collect(),
            retired: Vec::new(),
        }
    }

    fn body(&self) -> Body {
        Body { index: *self.index.bytes, keys: self.data.iter().map(|key| (key.id, *key.bytes)).collect() }
    }

    /// Returns the key that seals; a record without one is refused when read.
    fn sealing(&self) -> &DataKey {
        &self.data[self.data.len() - 1]
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(..)")
    }
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::WrongKey, "unlock", message)
}

fn shredded() -> Error {
    wrong("the store was shredded: nothing opens it any more")
}
