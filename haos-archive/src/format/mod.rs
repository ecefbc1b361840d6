//! The bytes of an archive, as `docs/format.md` says.

mod catalogue;
mod chunk;
mod frame;
mod header;
mod pack;
mod row;
mod trailer;

pub(crate) use catalogue::{Catalogue, Entry, MOST_CHUNKS, MOST_FILES};
pub(crate) use chunk::{Rows, Tag, bytes_chunk, decode, encode_row, is_session};
pub(crate) use frame::{CATALOGUE, Frame, Head, MOST_RAW};
pub(crate) use header::Header;
pub(crate) use pack::{Packer, unpack};
pub(crate) use row::Row;
pub(crate) use trailer::Trailer;

use std::fmt;

use haos_store_api::{Error, ErrorKind};

/// The number of an archive: random, made when its backup begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveId([u8; 16]);

impl ArchiveId {
    pub(crate) const BYTES: usize = 16;

    pub(crate) fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub(crate) fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|e| {
            let message = "the system gives no randomness: try again";
            Error::new(ErrorKind::Unavailable, "backup", message).with_source(e)
        })?;
        Ok(Self(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 2 * Self::BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0; 16];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ArchiveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The SHA-256 of a chunk, by which it is known.
pub(crate) type Hash = [u8; 32];

/// Makes the error for bytes that no backup wrote.
pub(crate) fn corrupt(what: impl fmt::Display) -> Error {
    let message = format!("the archive is damaged: {what}; use another copy of it");
    Error::new(ErrorKind::Corrupt, "archive", message)
}

/// Reads a little-endian number out of a fixed part.
pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let part = bytes.get(at..at + 4).and_then(|part| part.try_into().ok());
    part.map_or(0, u32::from_le_bytes)
}

/// Reads a little-endian number out of a fixed part.
pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let part = bytes.get(at..at + 8).and_then(|part| part.try_into().ok());
    part.map_or(0, u64::from_le_bytes)
}
