//! Bytes of one payload: JSON text, or `version | crc32 | bincode`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Bound, Codec, Form, Payload};
use crate::{Collection, Error, Result};

/// The version byte of [`Form::Binary`]. A later layout takes the next number.
const VERSION: u8 = 1;
/// What a message mostly fits in, so that its buffer need not grow.
const TYPICAL: usize = 512;
const HEADER: usize = 1 + 4;
/// The most that decoding may allocate: hostile lengths are refused, not believed.
const LIMIT: usize = 256 << 20;

fn config() -> impl bincode::config::Config {
    bincode::config::standard().with_limit::<LIMIT>()
}

impl Codec {
    pub(super) fn seal<T: Serialize>(&self, bound: &Bound<'_>, body: &T) -> Result<Payload> {
        let fault = |e: &dyn std::fmt::Display| {
            Error::invalid("encode", format!("a row of {} has no stored form: {e}", bound.collection.name()))
        };
        match self.form {
            Form::Text => {
                let mut bytes = Vec::with_capacity(TYPICAL);
                serde_json::to_writer(&mut bytes, body).map_err(|e| fault(&e))?;
                Ok(Payload(bytes))
            }
            Form::Binary => {
                let bytes = bincode::serde::encode_to_vec(body, config()).map_err(|e| fault(&e))?;
                Ok(frame(bound, &bytes))
            }
        }
    }

    pub(super) fn open<T: DeserializeOwned>(&self, bound: &Bound<'_>, bytes: &[u8]) -> Result<T> {
        let collection = bound.collection;
        match self.form {
            Form::Text => serde_json::from_slice(bytes).map_err(|e| damaged(collection, &e)),
            Form::Binary => {
                let body = unframe(bound, bytes)?;
                let (value, used) =
                    bincode::serde::decode_from_slice(body, config()).map_err(|e| damaged(collection, &e))?;
                if used == body.len() { Ok(value) } else { Err(damaged(collection, &"bytes are left over")) }
            }
        }
    }

    /// Raw bytes (media chunks) have no inner form.
    pub(super) fn seal_raw(&self, bound: &Bound<'_>, bytes: &[u8]) -> Payload {
        match self.form {
            Form::Text => Payload(bytes.to_vec()),
            Form::Binary => frame(bound, bytes),
        }
    }

    /// The same body, bound to something else; none if it is bound to nothing.
    pub(super) fn rebind(&self, from: &Bound<'_>, to: &Bound<'_>, bytes: &[u8]) -> Result<Option<Payload>> {
        Ok(match self.form {
            Form::Text => None,
            Form::Binary => Some(frame(to, unframe(from, bytes)?)),
        })
    }

    pub(super) fn open_raw(&self, bound: &Bound<'_>, bytes: &[u8]) -> Result<Vec<u8>> {
        match self.form {
            Form::Text => Ok(bytes.to_vec()),
            Form::Binary => unframe(bound, bytes).map(<[u8]>::to_vec),
        }
    }
}

fn frame(bound: &Bound<'_>, body: &[u8]) -> Payload {
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.push(VERSION);
    bytes.extend(checksum(bound, body).to_le_bytes());
    bytes.extend(body);
    Payload(bytes)
}

fn unframe<'a>(bound: &Bound<'_>, bytes: &'a [u8]) -> Result<&'a [u8]> {
    let collection = bound.collection;
    match bytes {
        [VERSION, a, b, c, d, body @ ..] => {
            if u32::from_le_bytes([*a, *b, *c, *d]) == checksum(bound, body) {
                Ok(body)
            } else {
                Err(damaged(collection, &"its checksum does not match"))
            }
        }
        [version, ..] if *version > VERSION => Err(Error::new(
            crate::ErrorKind::NewerSchema,
            "decode",
            format!(
                "a row of {} has format {version}, newer than {VERSION}: update the application",
                collection.name()
            ),
        )),
        _ => Err(damaged(collection, &"it is cut short")),
    }
}

/// Over what the body is bound to and the body, so that a row in another's place is noticed.
fn checksum(bound: &Bound<'_>, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    bound.each_part(|part| crc.update(part));
    crc.update(body);
    crc.finalize()
}

fn damaged(collection: Collection, why: &dyn std::fmt::Display) -> Error {
    Error::corrupt(
        "decode",
        format!("a row of {} is damaged: {why}; run `check` on the store", collection.name()),
    )
}
