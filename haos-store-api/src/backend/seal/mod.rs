//! Sealing: the encryption of single rows, and its keys.
//!
//! A random *master key* is wrapped once for each secret that opens the store (a slot), and seals the
//! *body* of the keyring: the data keys and the index key. Subkeys for each collection are derived with
//! HKDF-SHA256: from a data key for payloads (AES-256-GCM), from the index key for key columns
//! (HMAC-SHA256). A change of passphrase rewraps the master key; a rotation adds a data key, reseals the
//! rows and drops the old one.

mod data_key;
mod keyring;
mod nonce;
mod padding;
mod record;
mod slot;
#[cfg(test)]
mod tests;

pub(crate) use keyring::HEADER;
pub use keyring::Keyring;
pub(crate) use padding::unpad;

use haos_store_seal::{Cipher, NONCE, TAG, derive};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Result};

/// A key of AES-256 or of HMAC-SHA256.
type Key32 = Zeroizing<[u8; 32]>;

/// Fills bytes with the system's randomness.
fn random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|e| {
        Error::new(ErrorKind::Unavailable, "seal", "the system gives no random bytes").with_source(e)
    })
}

fn random_key() -> Result<Key32> {
    let mut key = Key32::default();
    random(&mut *key)?;
    Ok(key)
}

/// Seals a small secret under a key of its own: `nonce | ciphertext | tag`.
fn wrap(key: &[u8; 32], aad: &[u8], secret: &[u8]) -> Result<Vec<u8>> {
    let mut nonce = [0; NONCE];
    random(&mut nonce)?;
    let mut wrapped = Vec::with_capacity(NONCE + secret.len() + TAG);
    wrapped.extend(nonce);
    wrapped.extend(secret);
    encrypt(&Cipher::new(key), &nonce, aad, &mut wrapped, NONCE)?;
    Ok(wrapped)
}

/// Undoes [`wrap`]; `None` under another key, or if a bit has changed.
fn unwrap(key: &[u8; 32], aad: &[u8], wrapped: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = wrapped.split_first_chunk::<NONCE>()?;
    decrypt(&Cipher::new(key), nonce, aad, sealed).map(Zeroizing::new)
}

/// Encrypts the bytes after `from`, and appends the tag.
fn encrypt(cipher: &Cipher, nonce: &[u8; NONCE], aad: &[u8], bytes: &mut Vec<u8>, from: usize) -> Result<()> {
    let tag = cipher
        .encrypt(nonce, aad, &mut bytes[from..])
        .ok_or_else(|| Error::invalid("seal", "a row is too large to be sealed"))?;
    bytes.extend_from_slice(&tag);
    Ok(())
}

/// Decrypts `ciphertext | tag`, if it is authentic.
fn decrypt(cipher: &Cipher, nonce: &[u8; NONCE], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (text, tag) = sealed.split_last_chunk::<TAG>()?;
    let mut text = text.to_vec();
    cipher.decrypt(nonce, aad, &mut text, tag).then_some(text)
}
