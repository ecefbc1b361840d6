//! Slots: the master key, wrapped for one secret each.

use argon2::{Algorithm, Argon2, Params, Version};

use super::{Key32, derive, random, unwrap, wrap};
use zeroize::Zeroizing;

use crate::backend::codec::binary::binary_struct;
use crate::{Error, ErrorKind, KdfLimits, KdfParams, Result, Secret};

/// The most slots of keys, so that a hostile record costs little.
const MOST_KEYS: usize = 8;
/// The longest name of a key.
const LONGEST_NAME: usize = 64;
/// The most that the form NFKC makes of a byte: U+FDFA, of three bytes, is 33.
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
const LONGEST_FORM: usize = 11;

/// The secrets that open the store: at most one passphrase, so that opening derives one key, and named keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Slots {
    passphrase: Option<PassphraseSlot>,
    keys: Vec<KeySlot>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct PassphraseSlot {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: [u8; 16],
    master: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeySlot {
    name: String,
    master: Vec<u8>,
}

binary_struct!(Slots { passphrase, keys });
binary_struct!(PassphraseSlot { memory_kib, passes, lanes, salt, master });
binary_struct!(KeySlot { name, master });

impl Slots {
    /// Makes the first slot of a new keyring.
    pub(super) fn of(secret: &Secret, kdf: KdfParams, limits: KdfLimits, master: &Key32) -> Result<Self> {
        let mut slots = Self::default();
        match secret {
            Secret::Passphrase(_) => slots.set_passphrase(secret, kdf, limits, master)?,
            Secret::Key(_) => slots.add_key("key", secret, master)?,
        }
        Ok(slots)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.passphrase.is_none() && self.keys.is_empty()
    }

    /// Returns the cost of deriving a key from the passphrase.
    pub(super) fn kdf(&self) -> Option<KdfParams> {
        self.passphrase.as_ref().map(PassphraseSlot::kdf)
    }

    /// Returns the master key, or `None` for a secret that opens no slot.
    pub(super) fn open(&self, secret: &Secret, limits: KdfLimits) -> Result<Option<Key32>> {
        let opened = match (secret, &self.passphrase) {
            (Secret::Passphrase(words), Some(slot)) => {
                // Anybody with the file can write any number there.
                if let Some(excess) = limits.excess(slot.kdf()) {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        "unlock",
                        format!(
                            "the keyring asks for {excess} to derive a key: raise `kdf_limits` if this cost was \
                             chosen, or open the store with a key"
                        ),
                    ));
                }
                let words = normalized(words);
                // An empty one can never be set.
                if words.is_empty() {
                    return Ok(None);
                }
                unwrap(&*stretch(&words, slot.kdf(), &slot.salt)?, &slot.aad(), &slot.master)
            }
            (Secret::Passphrase(_), None) => None,
            (Secret::Key(key), _) => {
                let key = derive(key, "haos slot key");
                self.keys.iter().find_map(|slot| unwrap(&key, &slot.aad(), &slot.master))
            }
        };
        Ok(opened.and_then(|master| Some(Key32::new(master.as_slice().try_into().ok()?))))
    }

    pub(super) fn set_passphrase(
        &mut self,
        secret: &Secret,
        kdf: KdfParams,
        limits: KdfLimits,
        master: &Key32,
    ) -> Result<()> {
        let Secret::Passphrase(words) = secret else {
            return Err(invalid("a key was given where a passphrase belongs: add it as a key"));
        };
        let words = normalized(words);
        if words.is_empty() {
            return Err(invalid("the passphrase is empty: choose one that nobody guesses"));
        }
        if let Some(excess) = limits.excess(kdf) {
            return Err(invalid(&format!(
                "a passphrase at the cost of {excess} would not open the store again: lower the parameters, \
                 with `SetPassphraseExactly` also those that are stored, or raise `kdf_limits` at each opening"
            )));
        }
        let KdfParams { memory_kib, passes, lanes } = kdf;
        let mut slot = PassphraseSlot { memory_kib, passes, lanes, salt: [0; 16], master: Vec::new() };
        random(&mut slot.salt)?;
        slot.master = wrap(&*stretch(&words, kdf, &slot.salt)?, &slot.aad(), &**master)?;
        self.passphrase = Some(slot);
        Ok(())
    }

    pub(super) fn remove_passphrase(&mut self) -> Result<()> {
        if self.passphrase.take().is_none() {
            return Err(invalid("no passphrase opens this store"));
        }
        self.keep_one()
    }

    pub(super) fn add_key(&mut self, name: &str, secret: &Secret, master: &Key32) -> Result<()> {
        let Secret::Key(key) = secret else {
            return Err(invalid("a passphrase was given where 32 bytes belong: set it as the passphrase"));
        };
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(invalid("the name of a key has 1 to 64 bytes"));
        }
        self.keys.retain(|slot| slot.name != name);
        if self.keys.len() >= MOST_KEYS {
            return Err(invalid("8 keys open this store already: remove one first"));
        }
        let mut slot = KeySlot { name: name.to_owned(), master: Vec::new() };
        slot.master = wrap(&derive(key, "haos slot key"), &slot.aad(), &**master)?;
        self.keys.push(slot);
        Ok(())
    }

    pub(super) fn remove_key(&mut self, name: &str) -> Result<()> {
        let before = self.keys.len();
        self.keys.retain(|slot| slot.name != name);
        if self.keys.len() == before {
            return Err(invalid("no key of this name opens the store"));
        }
        self.keep_one()
    }

    fn keep_one(&self) -> Result<()> {
        if self.is_empty() {
            return Err(invalid("nobody could open the store any more: add another secret first, or shred"));
        }
        Ok(())
    }
}

impl PassphraseSlot {
    fn kdf(&self) -> KdfParams {
        KdfParams { memory_kib: self.memory_kib, passes: self.passes, lanes: self.lanes }
    }

    fn aad(&self) -> Vec<u8> {
        let mut aad = b"haos slot passphrase".to_vec();
        for part in [self.memory_kib, self.passes, self.lanes] {
            aad.extend(part.to_be_bytes());
        }
        aad.extend(self.salt);
        aad
    }
}

impl KeySlot {
    fn aad(&self) -> Vec<u8> {
        [b"haos slot key ", self.name.as_bytes()].concat()
    }
}

/// Normalizes a passphrase to NFKC: keyboards type a character as one or as two, and both count as the same.
fn normalized(words: &str) -> Zeroizing<String> {
    if words.is_ascii() {
        return Zeroizing::new(words.to_owned());
    }
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    {
        use unicode_normalization::UnicodeNormalization;
        // No character grows by more: the text is never moved, which would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(words.len() * LONGEST_FORM));
        text.extend(words.nfkc());
        text
    }
    // A browser has the tables.
    #[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
    Zeroizing::new(String::from(js_sys::JsString::from(words).normalize("NFKC")))
}

/// Runs Argon2id, within limits that hold for stored parameters as for given ones.
fn stretch(words: &str, kdf: KdfParams, salt: &[u8; 16]) -> Result<Key32> {
    let KdfParams { memory_kib, passes, lanes } = kdf;
    if memory_kib > 1 << 20 || !(1..=64).contains(&passes) || !(1..=16).contains(&lanes) {
        return Err(invalid("Argon2id takes up to 1 GiB, 1 to 64 passes and 1 to 16 lanes"));
    }
    let params = Params::new(memory_kib, passes, lanes, Some(32))
        .map_err(|e| invalid("Argon2id does not take these parameters").with_source(e))?;
    let mut key = Key32::default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(words.as_bytes(), salt, &mut *key)
        .map_err(|e| {
            Error::new(ErrorKind::Other, "unlock", "no key can be derived from the passphrase").with_source(e)
        })?;
    Ok(key)
}

fn invalid(message: &str) -> Error {
    Error::invalid("keys", message)
}
