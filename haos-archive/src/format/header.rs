use haos_store_api::{Error, ErrorKind, Result};

use super::{ArchiveId, corrupt, u32_at};

/// The version that this library writes.
const VERSION: u16 = 1;

/// The first bytes of an archive: `magic | version | zeros | id | crc32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) id: ArchiveId,
}

impl Header {
    pub(crate) const BYTES: usize = 32;
    pub(crate) const MAGIC: [u8; 8] = *b"\x89HAOSAR\n";

    /// Stands for the header of a file that is yet to be read.
    pub(crate) fn unknown() -> Self {
        Self { id: ArchiveId::new([0; ArchiveId::BYTES]) }
    }

    pub(crate) fn encode(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&Self::MAGIC);
        bytes[8..10].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..28].copy_from_slice(self.id.as_bytes());
        let crc = crc32fast::hash(&bytes[..28]);
        bytes[28..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads a header.
    ///
    /// # Errors
    /// `Invalid` for a file that is no archive, `NewerSchema` for one of a later version, `Corrupt`.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        if bytes.get(..8) != Some(&Self::MAGIC) {
            let message = "the file is no archive of this library: give the path of a backup";
            return Err(Error::new(ErrorKind::Invalid, "archive", message));
        }
        let Some(bytes) = bytes.first_chunk::<{ Self::BYTES }>() else {
            return Err(corrupt("it ends within its header"));
        };
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if version > VERSION {
            let message =
                format!("the archive has version {version}, which is later: update the application");
            return Err(Error::new(ErrorKind::NewerSchema, "archive", message));
        }
        if version != VERSION || bytes[10..12] != [0; 2] || crc32fast::hash(&bytes[..28]) != u32_at(bytes, 28)
        {
            return Err(corrupt("its header does not match its checksum"));
        }
        let mut id = [0; ArchiveId::BYTES];
        id.copy_from_slice(&bytes[12..28]);
        Ok(Self { id: ArchiveId::new(id) })
    }
}
