use super::{corrupt, keys};
use crate::{Key, Position, Result, Revision};

/// Columns of a row, written one after the other before the codec's payload. Numbers are big-endian.
#[derive(Debug, Default)]
pub struct Columns(Vec<u8>);

impl Columns {
    /// Begins with columns that are written already.
    pub fn of(columns: &[u8]) -> Self {
        Self(columns.to_vec())
    }

    /// Adds a key: 16 bytes.
    pub fn key(self, key: &Key) -> Self {
        self.bytes(key.as_bytes())
    }

    /// Adds a signed number: 8 bytes.
    pub fn int(self, value: i64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds a number: 8 bytes.
    pub fn count(self, value: u64) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds a short number: 4 bytes.
    pub fn nr(self, value: u32) -> Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Adds a byte.
    pub fn byte(self, value: u8) -> Self {
        self.bytes(&[value])
    }

    /// Ends the row with its payload.
    pub fn end(self, payload: &[u8]) -> Vec<u8> {
        self.bytes(payload).0
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Columns of a row, read one after the other; the rest is the payload. Each method fails with `Corrupt` if the row is
/// too short.
#[derive(Debug, Clone, Copy)]
pub struct Cut<'a>(pub &'a [u8]);

impl<'a> Cut<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or_else(short)?;
        self.0 = rest;
        Ok(*part)
    }

    /// Reads some bytes.
    ///
    /// # Errors
    /// `Corrupt` if the row is too short.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(length).ok_or_else(short)?;
        self.0 = rest;
        Ok(part)
    }

    /// Reads a key: 16 bytes.
    pub fn key(&mut self) -> Result<Key> {
        self.take().map(Key::from_bytes)
    }

    /// Reads a signed number: 8 bytes.
    pub fn int(&mut self) -> Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// Reads a number: 8 bytes.
    pub fn count(&mut self) -> Result<u64> {
        self.take().map(u64::from_be_bytes)
    }

    /// Reads a revision: 8 bytes.
    pub fn revision(&mut self) -> Result<Revision> {
        self.count().map(Revision)
    }

    /// Reads a short number: 4 bytes.
    pub fn nr(&mut self) -> Result<u32> {
        self.take().map(u32::from_be_bytes)
    }

    /// Reads a byte.
    pub fn byte(&mut self) -> Result<u8> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    /// Reads a position: 5 bytes.
    pub fn position(&mut self) -> Result<Position> {
        keys::parse_position(&self.take::<5>()?).ok_or_else(short)
    }
}

fn short() -> crate::Error {
    corrupt("decode", "a stored row is cut short")
}
