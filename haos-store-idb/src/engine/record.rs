//! Values: fixed columns, then the codec's payload.

use haos_store_api::{Error, ErrorKind, Key, MediaColumns, Position, Result, Revision};

/// The error for bytes that this library did not write.
pub(crate) fn corrupt(operation: &'static str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, operation, format!("{what}: run `Maintenance::Check` on the store"))
}

/// Columns written one after the other.
#[derive(Debug, Default)]
pub(crate) struct Columns(pub(crate) Vec<u8>);

impl Columns {
    /// After the record's own key.
    pub(crate) fn of(key: &[u8]) -> Self {
        Self(key.to_vec())
    }

    pub(crate) fn key(mut self, key: &Key) -> Self {
        self.0.extend_from_slice(key.as_bytes());
        self
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn count(mut self, value: u64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }

    pub(crate) fn byte(mut self, value: u8) -> Self {
        self.0.push(value);
        self
    }

    pub(crate) fn end(mut self, payload: &[u8]) -> Vec<u8> {
        self.0.extend_from_slice(payload);
        self.0
    }
}

/// Columns read one after the other; what is left is the payload.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut<'a>(pub(crate) &'a [u8]);

impl<'a> Cut<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (part, rest) =
            self.0.split_first_chunk::<N>().ok_or_else(|| corrupt("decode", "a stored row is cut short"))?;
        self.0 = rest;
        Ok(*part)
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (part, rest) =
            self.0.split_at_checked(length).ok_or_else(|| corrupt("decode", "a stored row is cut short"))?;
        self.0 = rest;
        Ok(part)
    }

    pub(crate) fn key(&mut self) -> Result<Key> {
        self.take().map(Key::from_bytes)
    }

    pub(crate) fn int(&mut self) -> Result<i64> {
        self.take().map(i64::from_be_bytes)
    }

    pub(crate) fn count(&mut self) -> Result<u64> {
        self.take().map(u64::from_be_bytes)
    }

    pub(crate) fn length(&mut self) -> Result<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn revision(&mut self) -> Result<Revision> {
        self.count().map(Revision)
    }

    pub(crate) fn byte(&mut self) -> Result<u8> {
        let [byte] = self.take()?;
        Ok(byte)
    }

    pub(crate) fn position(&mut self) -> Result<Position> {
        let mut number = [0; 8];
        number[3..].copy_from_slice(&self.take::<5>()?);
        Position::new(u64::from_be_bytes(number))
    }
}

/// Five bytes of a position.
pub(crate) fn position(at: Position) -> [u8; 5] {
    let [_, _, _, place @ ..] = at.get().to_be_bytes();
    place
}

/// The columns of a media item's value, and the payload.
pub(crate) fn media_columns(value: &[u8]) -> Result<(Key, MediaColumns, &[u8])> {
    let mut cut = Cut(value);
    let key = cut.key()?;
    let (blob, size, last_access_ms) = (cut.count()?, cut.count()?, cut.int()?);
    let (pinned, written) = (cut.byte()? != 0, cut.revision()?);
    Ok((key, MediaColumns { blob, size, last_access_ms, pinned, written }, cut.0))
}
