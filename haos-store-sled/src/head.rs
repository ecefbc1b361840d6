//! The store's counters and sums: one record, written with every commit.

use haos_store_api::{Collection, Error, ErrorKind, Result, Revision, Size};

use haos_store_api::native::corrupt;

/// The format of the tree. A later layout takes the next number.
pub(crate) const FORMAT: u32 = 1;

/// Format, revision, three counters, rows and bytes of six collections, a checksum.
const BYTES: usize = 4 + 4 * 8 + 6 * 16 + 4;

/// What the store knows of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The latest commit.
    pub(crate) revision: Revision,
    /// The latest sequence number given to an outbox row.
    pub(crate) last_seq: u64,
    /// The latest number given to a media item's bytes.
    pub(crate) last_blob: u64,
    /// The latest number given to a room.
    pub(crate) last_room: u64,
    /// Rows and bytes, in the order of [`Collection::ALL`].
    pub(crate) sums: [Size; 6],
}

impl Head {
    /// The sums of a collection.
    pub(crate) fn sum(&mut self, of: Collection) -> &mut Size {
        let at = Collection::ALL.iter().position(|one| *one == of);
        &mut self.sums[at.unwrap_or_default()]
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend(FORMAT.to_be_bytes());
        for number in [self.revision.0, self.last_seq, self.last_blob, self.last_room] {
            bytes.extend(number.to_be_bytes());
        }
        for size in &self.sums {
            bytes.extend(size.rows.to_be_bytes());
            bytes.extend(size.bytes.to_be_bytes());
        }
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    /// # Errors
    /// `NewerSchema` for a later format, `Corrupt` for anything else that [`encode`](Self::encode) did
    /// not write.
    pub(crate) fn decode(operation: &'static str, bytes: &[u8]) -> Result<Self> {
        let damaged = || corrupt(operation, "the store's counters are damaged");
        let (body, sum) = bytes.split_last_chunk::<4>().ok_or_else(damaged)?;
        if u32::from_be_bytes(*sum) != crc32fast::hash(body) {
            return Err(damaged());
        }
        let (format, numbers) = body.split_first_chunk::<4>().ok_or_else(damaged)?;
        let format = u32::from_be_bytes(*format);
        if format > FORMAT {
            return Err(newer(format));
        }
        let (numbers, []) = numbers.as_chunks::<8>() else { return Err(damaged()) };
        let mut numbers = numbers.iter().map(|bytes| u64::from_be_bytes(*bytes));
        let mut next = || numbers.next().ok_or_else(damaged);
        let mut head = Self {
            revision: Revision(next()?),
            last_seq: next()?,
            last_blob: next()?,
            last_room: next()?,
            sums: [Size::default(); 6],
        };
        for size in &mut head.sums {
            *size = Size { rows: next()?, bytes: next()? };
        }
        Ok(head)
    }
}

/// The error for a store of a later version.
pub(crate) fn newer(found: u32) -> Error {
    Error::new(
        ErrorKind::NewerSchema,
        "open",
        format!("the store has format {found}, this version knows {FORMAT}: update the application"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_and_notices_every_flip() {
        let mut head = Head { revision: Revision(7), last_seq: 3, last_blob: 2, ..Head::default() };
        head.sum(Collection::State).rows = 9;
        let bytes = head.encode();
        assert_eq!(bytes.len(), BYTES);
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
        let sum = crc32fast::hash(&bytes[..body]).to_be_bytes();
        bytes[body..].copy_from_slice(&sum);
        assert_eq!(Head::decode("test", &bytes).unwrap_err().kind(), ErrorKind::NewerSchema);
    }
}
