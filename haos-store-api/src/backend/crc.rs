//! The checksum of rows and records, for backends too.

#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
mod tables;

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use crc32fast::Hasher;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use tables::Hasher;

/// CRC-32 as in zip files.
#[derive(Debug, Clone, Default)]
pub struct Crc32(Hasher);

impl Crc32 {
    /// Computes the checksum of some bytes.
    pub fn of(bytes: &[u8]) -> u32 {
        let mut crc = Self::default();
        crc.update(bytes);
        crc.finish()
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
