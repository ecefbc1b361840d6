//! Sealed payloads: `version | key id | nonce | ciphertext | tag`, bound through the associated data.

use super::body::Body;
use super::frame::{PADDED, SEALED, damaged};
use super::{Bound, Codec, Payload, RowRef};
use crate::backend::seal::{HEADER, unpad};
use crate::{Keyring, Padding, Result};

/// Associated data, with room for those of every payload.
struct Aad {
    bytes: [u8; 1 + Bound::BYTES],
    used: usize,
}

impl Aad {
    fn of(version: u8, bound: &Bound) -> Self {
        let mut aad = Self { bytes: [0; 1 + Bound::BYTES], used: 0 };
        aad.push(&[version]);
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
pub(super) fn seal<T: Body>(
    keyring: &Keyring,
    padding: Padding,
    bound: &Bound,
    body: &T,
) -> Result<Payload, Box<dyn std::error::Error>> {
    let mut bytes = keyring.envelope(super::frame::TYPICAL);
    body.write(&mut bytes);
    Ok(close(keyring, padding, bound, bytes)?)
}

/// Seals bytes as they are.
pub(super) fn seal_raw(keyring: &Keyring, padding: Padding, bound: &Bound, body: &[u8]) -> Result<Payload> {
    let mut bytes = keyring.envelope(body.len());
    bytes.extend_from_slice(body);
    close(keyring, padding, bound, bytes)
}

fn close(keyring: &Keyring, padding: Padding, bound: &Bound, mut bytes: Vec<u8>) -> Result<Payload> {
    let version = if padding == Padding::None { SEALED } else { PADDED };
    if version == PADDED {
        padding.pad(&mut bytes, HEADER);
    }
    keyring.seal(bound.collection, Aad::of(version, bound).as_bytes(), &mut bytes)?;
    Ok(Payload(bytes))
}

/// Returns the body of an envelope.
pub(super) fn open(keyring: &Keyring, bound: &Bound, bytes: &[u8]) -> Result<Vec<u8>> {
    let (version, body) = open_padded(keyring, bound, bytes)?;
    if version == PADDED {
        unpad(body).ok_or_else(|| damaged(bound, &"its padding has no end"))
    } else {
        Ok(body)
    }
}

/// Returns the body with its padding, and the version that tells whether it is padded.
fn open_padded(keyring: &Keyring, bound: &Bound, bytes: &[u8]) -> Result<(u8, Vec<u8>)> {
    let [version @ (SEALED | PADDED), ..] = bytes else {
        return Err(damaged(bound, &"it is not sealed, in a sealed store"));
    };
    let body = keyring.open(bound.collection, Aad::of(*version, bound).as_bytes(), bytes)?;
    Ok((*version, body.ok_or_else(|| damaged(bound, &"it was not sealed for its place"))?))
}

/// Seals the same body with the same padding for another place: a move lets no payload grow.
pub(super) fn rebind(keyring: &Keyring, from: &Bound, to: &Bound, bytes: &[u8]) -> Result<Payload> {
    let (version, body) = open_padded(keyring, from, bytes)?;
    let mut bytes = keyring.envelope(body.len());
    bytes.extend_from_slice(&body);
    keyring.seal(to.collection, Aad::of(version, to).as_bytes(), &mut bytes)?;
    Ok(Payload(bytes))
}

impl Codec {
    /// Seals the payload of a row with the present key; `None` if it is sealed with that already, or rows are plain. A
    /// rotation does this to every row.
    ///
    /// # Errors
    /// `Corrupt` for a payload that is not the row's.
    pub fn resealed(&self, row: &RowRef<'_>, payload: &[u8]) -> Result<Option<Payload>> {
        match &self.keyring {
            Some(keyring) if !keyring.is_current(payload) => {
                let bound = &row.bound(self);
                let body = open(keyring, bound, payload)?;
                seal_raw(keyring, self.padding, bound, &body).map(Some)
            }
            _ => Ok(None),
        }
    }
}
