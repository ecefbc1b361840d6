//! Bytes of one payload: JSON text, or `version | crc32 | bincode`.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Codec, Form, Key, Payload};
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
    pub(super) fn seal<T: Serialize>(&self, collection: Collection, key: &Key, body: &T) -> Result<Payload> {
        let fault = |e: &dyn std::fmt::Display| {
            Error::invalid("encode", format!("a row of {} has no stored form: {e}", collection.name()))
        };
        match self.form {
            Form::Text => {
                let mut bytes = Vec::with_capacity(TYPICAL);
                serde_json::to_writer(&mut bytes, body).map_err(|e| fault(&e))?;
                Ok(Payload(bytes))
            }
            Form::Binary => {
                let bytes = bincode::serde::encode_to_vec(body, config()).map_err(|e| fault(&e))?;
                Ok(frame(key, &bytes))
            }
        }
    }

    pub(super) fn open<T: DeserializeOwned>(
        &self,
        collection: Collection,
        key: &Key,
        bytes: &[u8],
    ) -> Result<T> {
        match self.form {
            Form::Text => serde_json::from_slice(bytes).map_err(|e| damaged(collection, &e)),
            Form::Binary => {
                let body = unframe(collection, key, bytes)?;
                let (value, used) =
                    bincode::serde::decode_from_slice(body, config()).map_err(|e| damaged(collection, &e))?;
                if used == body.len() { Ok(value) } else { Err(damaged(collection, &"bytes are left over")) }
            }
        }
    }

    /// Raw bytes (media chunks) have no inner form.
    pub(super) fn seal_raw(&self, key: &Key, bytes: &[u8]) -> Payload {
        match self.form {
            Form::Text => Payload(bytes.to_vec()),
            Form::Binary => frame(key, bytes),
        }
    }

    pub(super) fn open_raw(&self, collection: Collection, key: &Key, bytes: &[u8]) -> Result<Vec<u8>> {
        match self.form {
            Form::Text => Ok(bytes.to_vec()),
            Form::Binary => unframe(collection, key, bytes).map(<[u8]>::to_vec),
        }
    }
}

fn frame(key: &Key, body: &[u8]) -> Payload {
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.push(VERSION);
    bytes.extend(checksum(key, body).to_le_bytes());
    bytes.extend(body);
    Payload(bytes)
}

fn unframe<'a>(collection: Collection, key: &Key, bytes: &'a [u8]) -> Result<&'a [u8]> {
    match bytes {
        [VERSION, a, b, c, d, body @ ..] => {
            if u32::from_le_bytes([*a, *b, *c, *d]) == checksum(key, body) {
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

/// Over key and body, so that a row under another's key is noticed.
fn checksum(key: &Key, body: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(key.as_bytes());
    crc.update(body);
    crc.finalize()
}

fn damaged(collection: Collection, why: &dyn std::fmt::Display) -> Error {
    Error::corrupt(
        "decode",
        format!("a row of {} is damaged: {why}; run `check` on the store", collection.name()),
    )
}
