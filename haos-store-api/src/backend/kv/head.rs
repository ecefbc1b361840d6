//! The store's counters and sums: one record, written with every commit.

use super::corrupt;
use crate::{Collection, Crc32, Error, ErrorKind, Result, Revision, Size};

/// The format of the tree. A later layout takes the next number.
pub const FORMAT: u32 = 1;

/// The counters and sums that the engine keeps in one record, written with every commit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Head {
    /// The latest commit.
    pub revision: Revision,
    /// The latest sequence number given to an outbox row.
    pub last_seq: u64,
    /// The latest number given to a media item's bytes.
    pub last_blob: u64,
    /// The latest number given to a room.
    pub last_room: u64,
    /// Rows and bytes of the collections.
    pub sums: Sums,
}

impl Head {
    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        encode(FORMAT, [self.revision.0, self.last_seq, self.last_blob, self.last_room], &self.sums)
    }

    /// Decodes the record.
    ///
    /// # Errors
    /// `NewerSchema` for a later format, `Corrupt` for anything else that [`encode`](Self::encode) did not write.
    pub fn decode(operation: &'static str, bytes: &[u8]) -> Result<Self> {
        let ([revision, last_seq, last_blob, last_room], sums) = decode(operation, FORMAT, bytes)?;
        Ok(Self { revision: Revision(revision), last_seq, last_blob, last_room, sums })
    }
}

/// Rows and bytes of each collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums([Size; Collection::ALL.len()]);

impl Sums {
    /// Returns the sum of a collection.
    pub fn of(&self, of: Collection) -> Size {
        self.0[Self::at(of)]
    }

    /// Returns the sum of a collection, to be changed.
    pub fn of_mut(&mut self, of: Collection) -> &mut Size {
        &mut self.0[Self::at(of)]
    }

    fn at(of: Collection) -> usize {
        Collection::ALL.iter().position(|one| *one == of).unwrap_or_default()
    }

    /// Adds a row.
    pub fn grow(&mut self, of: Collection, bytes: u64) {
        let sum = self.of_mut(of);
        sum.rows += 1;
        sum.bytes += bytes;
    }

    /// Takes a row off. Damage does not make the sums wrap.
    pub fn shrink(&mut self, of: Collection, bytes: u64) {
        let sum = self.of_mut(of);
        sum.rows = sum.rows.saturating_sub(1);
        sum.bytes = sum.bytes.saturating_sub(bytes);
    }

    /// Counts the rows of all collections.
    pub fn rows(&self) -> u64 {
        self.0.iter().map(|size| size.rows).sum()
    }

    /// Counts the bytes of all collections.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|size| size.bytes).sum()
    }

    /// Lists the sums in the order of [`Collection::ALL`].
    pub fn collections(&self) -> Vec<(Collection, Size)> {
        Collection::ALL.into_iter().zip(self.0).collect()
    }
}

/// Encodes a record of counters and sums: format, counters, sums, checksum.
pub fn encode<const N: usize>(format: u32, counters: [u64; N], sums: &Sums) -> Vec<u8> {
    let mut bytes = format.to_be_bytes().to_vec();
    let sums = sums.0.iter().flat_map(|size| [size.rows, size.bytes]);
    bytes.extend(counters.into_iter().chain(sums).flat_map(u64::to_be_bytes));
    bytes.extend(Crc32::of(&bytes).to_be_bytes());
    bytes
}

/// Decodes a record of counters and sums whose format is at most `format`.
///
/// # Errors
/// `NewerSchema` for a later format, `Corrupt` for anything else that [`encode`] did not write.
pub fn decode<const N: usize>(
    operation: &'static str,
    format: u32,
    bytes: &[u8],
) -> Result<([u64; N], Sums)> {
    let damaged = || corrupt(operation, "the store's counters are damaged");
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
    if u32::from_be_bytes(*sum) != Crc32::of(body) {
        return Err(damaged());
    }
    let (found, numbers) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
    let found = u32::from_be_bytes(*found);
    if found > format {
        return Err(newer(found, format));
    }
    let (numbers, []) = numbers.as_chunks::<8>() else { return Err(damaged()) };
    let mut numbers = numbers.iter().map(|bytes| u64::from_be_bytes(*bytes));
    let mut next = || numbers.next().ok_or_else(damaged);
    let mut counters = [0; N];
    for counter in &mut counters {
        *counter = next()?;
    }
    let mut sums = Sums::default();
    for size in &mut sums.0 {
        *size = Size { rows: next()?, bytes: next()? };
    }
    Ok((counters, sums))
}

/// Makes the error for a store of a later version.
pub fn newer(found: u32, known: u32) -> Error {
    Error::new(
        ErrorKind::NewerSchema,
        "open",
        format!("the store has format {found}, this version knows {known}: update the application"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_notices_every_flip() {
        let mut head = Head { revision: Revision(7), last_seq: 3, last_blob: 2, ..Head::default() };
        head.sums.of_mut(Collection::State).rows = 9;
        let bytes = head.encode();
        assert_eq!(bytes.len(), 4 + 4 * 8 + 6 * 16 + 4);
        assert_eq!(Head::decode("test", &bytes).unwrap(), head);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Head::decode("test", &flipped).is_err(), "bit {bit}");
        }
        assert!(Head::decode("test", &bytes[..20]).is_err());
    }

    #[test]
    fn a_later_format_is_told_apart_from_damage() {
        let mut bytes = Head::default().encode();
        bytes[3] = 9;
        let body = bytes.len() - 4;
        let sum = Crc32::of(&bytes[..body]).to_be_bytes();
        bytes[body..].copy_from_slice(&sum);
        assert_eq!(Head::decode("test", &bytes).unwrap_err().kind(), ErrorKind::NewerSchema);
    }
}
