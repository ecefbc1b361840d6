use haos_store_api::Result;

use super::{Hash, corrupt, u64_at};

const MAGIC: [u8; 8] = *b"HAOSEND\n";

/// The last bytes of an archive: `offset | length | sha256 | magic`, of the catalogue's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// The first byte of the frame.
    pub(crate) offset: u64,
    /// The bytes of the frame.
    pub(crate) length: u64,
    /// The hash of the catalogue.
    pub(crate) hash: Hash,
}

impl Trailer {
    pub(crate) const BYTES: usize = 56;

    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&self.offset.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..48].copy_from_slice(&self.hash);
        bytes[48..].copy_from_slice(&MAGIC);
        bytes
    }

    /// Reads the trailer of an archive of `size` bytes.
    pub(crate) fn decode(bytes: &[u8; Self::BYTES], size: u64) -> Result<Self> {
        if bytes[48..] != MAGIC {
            return Err(corrupt(
                "it has no end, since its backup was interrupted or it was cut; repeat that backup, which resumes",
            ));
        }
        let mut hash = Hash::default();
        hash.copy_from_slice(&bytes[16..48]);
        let trailer = Self { offset: u64_at(bytes, 0), length: u64_at(bytes, 8), hash };
        let end = trailer.offset.checked_add(trailer.length);
        if end.and_then(|end| end.checked_add(Self::BYTES as u64)) != Some(size) {
            return Err(corrupt("its last bytes name another place than that of the catalogue"));
        }
        Ok(trailer)
    }
}
