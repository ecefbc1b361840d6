use std::io::Read;

use haos_store_api::Result;
use sha2::{Digest, Sha256};

use crate::input::read_failed;

use super::{Hash, Packer, corrupt, u32_at, unpack};

/// The most bytes of a chunk or a catalogue, unpacked. A chunk of several rows ends far below; a single row may be
/// this long.
pub(crate) const MOST_RAW: u32 = 64 << 20;
/// The most bytes of a packed one: what cannot be packed grows a little.
const MOST_PACKED: u32 = MOST_RAW + (MOST_RAW >> 7) + 1024;

/// The kind of a frame that holds the catalogue; one with a chunk has the chunk's tag.
pub(crate) const CATALOGUE: u8 = b'C';

/// What stands before a packed payload: `kind | packed length | raw length | sha256 | crc32`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) kind: u8,
    pub(crate) packed: u32,
    pub(crate) raw: u32,
    /// Of the unpacked payload.
    pub(crate) hash: Hash,
    crc: u32,
}

impl Head {
    pub(crate) const BYTES: usize = 45;

    /// Reads a head, whose lengths are in bounds then.
    pub(crate) fn decode(bytes: &[u8; Self::BYTES]) -> Result<Self> {
        let mut hash = Hash::default();
        hash.copy_from_slice(&bytes[9..41]);
        let (packed, raw) = (u32_at(bytes, 1), u32_at(bytes, 5));
        let head = Self { kind: bytes[0], packed, raw, hash, crc: u32_at(bytes, 41) };
        if !matches!(head.kind, 1..=6 | CATALOGUE) || packed > MOST_PACKED || raw > MOST_RAW {
            return Err(corrupt("a part of it has a kind or a length that no part has"));
        }
        Ok(head)
    }

    /// Returns the bytes of the whole frame.
    pub(crate) fn frame_bytes(&self) -> u64 {
        Self::BYTES as u64 + u64::from(self.packed)
    }
}

/// A packed payload with its head, as it stands in a file. The checksum was compared.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) head: Head,
    pub(crate) packed: Vec<u8>,
}

impl Frame {
    /// Packs a payload whose hash is known.
    pub(crate) fn new(kind: u8, raw: &[u8], hash: Hash, packer: &mut Packer) -> Result<Self> {
        let packed = packer.pack(raw)?;
        let fits = |len: usize, most: u32| u32::try_from(len).ok().filter(|len| *len <= most);
        let (Some(raw), Some(len)) = (fits(raw.len(), MOST_RAW), fits(packed.len(), MOST_PACKED)) else {
            return Err(corrupt("a part of it would be too long"));
        };
        let mut head = Head { kind, packed: len, raw, hash, crc: 0 };
        head.crc = checksum(&head.fields(), &packed);
        Ok(Self { head, packed })
    }

    /// Reads a frame at the present place of `from`, which has `left` more bytes.
    pub(crate) fn read(from: &mut impl Read, left: u64) -> Result<Self> {
        let mut bytes = [0; Head::BYTES];
        if left < Head::BYTES as u64 {
            return Err(corrupt("it ends within a part"));
        }
        from.read_exact(&mut bytes).map_err(read_failed)?;
        let head = Head::decode(&bytes)?;
        if head.frame_bytes() > left {
            return Err(corrupt("it ends within a part"));
        }
        // The file has that many bytes: memory is taken for no more than those.
        let mut packed = vec![0; head.packed as usize];
        from.read_exact(&mut packed).map_err(read_failed)?;
        if checksum(&head.fields(), &packed) != head.crc {
            return Err(corrupt("a part of it does not match its checksum"));
        }
        Ok(Self { head, packed })
    }

    /// Returns the head's bytes.
    pub(crate) fn head_bytes(&self) -> [u8; Head::BYTES] {
        let mut bytes = [0; Head::BYTES];
        bytes[..41].copy_from_slice(&self.head.fields());
        bytes[41..].copy_from_slice(&self.head.crc.to_le_bytes());
        bytes
    }

    /// Unpacks the payload and compares its hash.
    pub(crate) fn unpack(&self) -> Result<Vec<u8>> {
        let raw = unpack(&self.packed, self.head.raw as usize)?;
        if Hash::from(Sha256::digest(&raw)) != self.head.hash {
            return Err(corrupt("a part of it does not match its hash"));
        }
        Ok(raw)
    }
}

impl Head {
    fn fields(&self) -> [u8; 41] {
        let mut bytes = [0; 41];
        bytes[0] = self.kind;
        bytes[1..5].copy_from_slice(&self.packed.to_le_bytes());
        bytes[5..9].copy_from_slice(&self.raw.to_le_bytes());
        bytes[9..].copy_from_slice(&self.hash);
        bytes
    }
}

fn checksum(fields: &[u8], packed: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    crc.update(fields);
    crc.update(packed);
    crc.finalize()
}
