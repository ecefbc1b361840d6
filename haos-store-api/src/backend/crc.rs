//! The checksum of rows and records, for backends too.

/// CRC-32 as in zip files.
#[derive(Debug, Clone, Default)]
pub struct Crc32(crc32fast::Hasher);

impl Crc32 {
    /// Computes the checksum of some bytes.
    pub fn of(bytes: &[u8]) -> u32 {
        crc32fast::hash(bytes)
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the checksum of all of them.
    pub fn finish(self) -> u32 {
        self.0.finalize()
    }
}
