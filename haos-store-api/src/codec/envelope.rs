//! Sealed payloads: `version | key id | nonce | ciphertext | tag`, bound through the associated data.

use serde::Serialize;

use super::frame::{SEALED, config, damaged};
use super::{Bound, Codec, Payload, RowRef};
use crate::{Keyring, Result};

/// Associated data: of no payload is it longer.
struct Aad {
    bytes: [u8; 1 + Bound::BYTES],
    used: usize,
}

impl Aad {
    fn of(bound: &Bound) -> Self {
        let mut aad = Self { bytes: [0; 1 + Bound::BYTES], used: 0 };
        aad.push(&[SEALED]);
        bound.each_part(|part| aad.push(part));
        aad
    }

    fn push(&mut self, part: &[u8]) {
        self.bytes[self.used..self.used + part.len()].copy_from_slice(part);
        self.used += part.len();
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

/// Seals an encoded row.
pub(super) fn seal<T: Serialize>(
    keyring: &Keyring,
    bound: &Bound,
    body: &T,
) -> Result<Payload, Box<dyn std::error::Error>> {
    let mut bytes = keyring.envelope(super::frame::TYPICAL);
    bincode::serde::encode_into_std_write(body, &mut bytes, config())?;
    keyring.seal(bound.collection, Aad::of(bound).as_bytes(), &mut bytes)?;
    Ok(Payload(bytes))
}

/// Seals bytes as they are.
pub(super) fn seal_raw(keyring: &Keyring, bound: &Bound, body: &[u8]) -> Result<Payload> {
    let mut bytes = keyring.envelope(body.len());
    bytes.extend_from_slice(body);
    keyring.seal(bound.collection, Aad::of(bound).as_bytes(), &mut bytes)?;
    Ok(Payload(bytes))
}

/// What was sealed.
pub(super) fn open(keyring: &Keyring, bound: &Bound, bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.first().is_some_and(|version| *version != SEALED) {
        return Err(damaged(bound, &"it is not sealed, in a sealed store"));
    }
    let body = keyring.open(bound.collection, Aad::of(bound).as_bytes(), bytes)?;
    body.ok_or_else(|| damaged(bound, &"it is not what was sealed for its place"))
}

impl Codec {
    /// The payload of a row under the key that seals at present; none if it is, or if rows are plain.
    /// A rotation does this to every row.
    ///
    /// # Errors
    /// `Corrupt` for a payload that is not the row's.
    pub fn resealed(&self, row: &RowRef<'_>, payload: &[u8]) -> Result<Option<Payload>> {
        match &self.keyring {
            Some(keyring) if !keyring.is_current(payload) => {
                let bound = &row.bound(self);
                let body = open(keyring, bound, payload)?;
                seal_raw(keyring, bound, &body).map(Some)
            }
            _ => Ok(None),
        }
    }
}
