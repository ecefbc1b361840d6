//! Bytes of one payload: JSON text, `version | crc32 | binary`, or a sealed envelope.

use std::error::Error as StdError;

use super::body::Body;
use super::{Bound, Codec, Form, Key, Payload, RowRef, binary};
use crate::backend::Crc32;
use crate::{Error, Result};

/// The version byte of [`Form::Binary`]. A later layout takes the next number.
const VERSION: u8 = 1;
/// The version byte of a sealed payload.
pub(crate) const SEALED: u8 = 0xA1;
/// The version byte of one whose body is padded.
pub(crate) const PADDED: u8 = 0xA2;
/// A capacity that fits most messages, so that their buffers need not grow.
pub(super) const TYPICAL: usize = 512;
const HEADER: usize = 1 + 4;

impl Codec {
    pub(super) fn seal<T: Body>(&self, row: &RowRef<'_>, body: &T) -> Result<Payload> {
        let bound = row.bound(self);
        self.encode(&bound, body).map_err(|e| {
            let name = bound.collection.name();
            Error::invalid("encode", format!("a row of {name} has no stored form: {e}"))
        })
    }

    fn encode<T: Body>(&self, bound: &Bound, body: &T) -> Result<Payload, Box<dyn StdError>> {
        if let Some(keyring) = &self.keyring {
            return super::envelope::seal(keyring, self.padding, bound, body);
        }
        match self.form {
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            Form::Text => {
                let mut bytes = Vec::with_capacity(TYPICAL);
                serde_json::to_writer(&mut bytes, body)?;
                Ok(Payload(bytes))
            }
            Form::Binary => {
                let mut bytes = header(TYPICAL);
                body.write(&mut bytes);
                Ok(frame(bound, bytes))
            }
        }
    }

    pub(super) fn open<T: Body>(&self, row: &RowRef<'_>, bytes: &[u8]) -> Result<T> {
        let bound = &row.bound(self);
        if let Some(keyring) = &self.keyring {
            return decode(bound, &super::envelope::open(keyring, bound, bytes)?);
        }
        match self.form {
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            Form::Text if matches!(bytes, [SEALED | PADDED, ..]) => Err(sealed(bound)),
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            // Checked once as a whole, which is cheaper than every string on its own.
            Form::Text => std::str::from_utf8(bytes)
                .map_err(|e| damaged(bound, &e))
                .and_then(|text| serde_json::from_str(text).map_err(|e| damaged(bound, &e))),
            Form::Binary => decode(bound, unframe(bound, bytes)?),
        }
    }

    /// Frames raw bytes (media chunks), which have no inner form.
    pub(super) fn seal_raw(&self, row: &RowRef<'_>, body: &[u8]) -> Result<Payload> {
        let bound = &row.bound(self);
        if let Some(keyring) = &self.keyring {
            return super::envelope::seal_raw(keyring, self.padding, bound, body);
        }
        Ok(match self.form {
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            Form::Text => Payload(body.to_vec()),
            Form::Binary => {
                let mut bytes = header(body.len());
                bytes.extend_from_slice(body);
                frame(bound, bytes)
            }
        })
    }

    pub(super) fn open_raw(&self, row: &RowRef<'_>, bytes: &[u8]) -> Result<Vec<u8>> {
        let bound = &row.bound(self);
        if let Some(keyring) = &self.keyring {
            return super::envelope::open(keyring, bound, bytes);
        }
        match self.form {
            #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
            Form::Text => Ok(bytes.to_vec()),
            Form::Binary => unframe(bound, bytes).map(<[u8]>::to_vec),
        }
    }

    /// Binds the same body to another place; `None` if payloads are not bound.
    pub(super) fn rebind(&self, from: &RowRef<'_>, to: &RowRef<'_>, bytes: &[u8]) -> Result<Option<Payload>> {
        if !self.binds() {
            return Ok(None);
        }
        if let Some(keyring) = &self.keyring {
            return super::envelope::rebind(keyring, &from.bound(self), &to.bound(self), bytes).map(Some);
        }
        self.seal_raw(to, &self.open_raw(from, bytes)?).map(Some)
    }
}

/// Begins a frame, with place for the checksum and a body.
fn header(capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + capacity);
    bytes.extend([VERSION, 0, 0, 0, 0]);
    bytes
}

fn frame(bound: &Bound, mut bytes: Vec<u8>) -> Payload {
    let sum = checksum(bound, &bytes[HEADER..]);
    bytes[1..HEADER].copy_from_slice(&sum.to_le_bytes());
    Payload(bytes)
}

fn unframe<'a>(bound: &Bound, bytes: &'a [u8]) -> Result<&'a [u8]> {
    match bytes {
        [VERSION, a, b, c, d, body @ ..] => {
            if u32::from_le_bytes([*a, *b, *c, *d]) == checksum(bound, body) {
                Ok(body)
            } else {
                Err(damaged(bound, &"its checksum does not match"))
            }
        }
        [SEALED | PADDED, ..] => Err(sealed(bound)),
        [version, ..] if *version > VERSION => Err(newer(bound, *version)),
        _ => Err(damaged(bound, &"it is cut short")),
    }
}

fn decode<T: Body>(bound: &Bound, body: &[u8]) -> Result<T> {
    binary::read(body).map_err(|fault| damaged(bound, &fault))
}

/// Computes the checksum over the binding and the body, so that a row in another's place is noticed.
fn checksum(bound: &Bound, body: &[u8]) -> u32 {
    let mut crc = Crc32::default();
    bound.each_part(|part| crc.update(part));
    crc.update(body);
    crc.finish()
}

/// Checks that an unbound payload, which tells its ids, belongs under its key.
pub(super) fn own_key(codec: &Codec, row: &RowRef<'_>, own: impl FnOnce() -> Key) -> Result<()> {
    let bound = row.bound(codec);
    if codec.binds() || own() == bound.key {
        return Ok(());
    }
    Err(damaged(&bound, &"it stands under another's key"))
}

pub(super) fn damaged(bound: &Bound, why: &dyn std::fmt::Display) -> Error {
    let (name, key) = (bound.collection.name(), bound.key);
    Error::corrupt(
        "decode",
        format!("a row of {name} is damaged, {key:?}: {why}; run `Maintenance::Check` on the store"),
    )
}

/// Makes the error for a sealed row where rows are plain.
fn sealed(bound: &Bound) -> Error {
    let name = bound.collection.name();
    let message = format!("a row of {name} is sealed: open the store with its key");
    Error::new(crate::ErrorKind::Sealed, "decode", message)
}

fn newer(bound: &Bound, version: u8) -> Error {
    let name = bound.collection.name();
    let message =
        format!("a row of {name} has format {version}, newer than {VERSION}: update the application");
    Error::new(crate::ErrorKind::NewerSchema, "decode", message)
}
