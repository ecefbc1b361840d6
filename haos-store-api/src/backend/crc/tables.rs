//! CRC-32 for browsers, by tables that are made when they are first needed. Those that a module brings, as `crc32fast`'s,
//! are 16 KB that no server compresses.

use std::sync::OnceLock;

/// The polynomial, its lowest bit last.
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// One table for each byte of a step.
type Tables = [[u32; 256]; 8];

static TABLES: OnceLock<Box<Tables>> = OnceLock::new();

fn made() -> Box<Tables> {
    let mut tables = Box::new([[0; 256]; 8]);
    for byte in 0..256 {
        let mut crc = byte as u32;
        for _ in 0..8 {
            crc = if crc & 1 == 0 { crc >> 1 } else { crc >> 1 ^ POLYNOMIAL };
        }
        tables[0][byte] = crc;
    }
    for byte in 0..256 {
        for nth in 1..8 {
            let before = tables[nth - 1][byte];
            tables[nth][byte] = before >> 8 ^ tables[0][usize::from(before as u8)];
        }
    }
    tables
}

/// A checksum under way.
#[derive(Debug, Clone)]
pub(super) struct Hasher(u32);

impl Default for Hasher {
    fn default() -> Self {
        Self(u32::MAX)
    }
}

impl Hasher {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let tables = TABLES.get_or_init(made);
        let (steps, rest) = bytes.as_chunks::<8>();
        for step in steps {
            let mixed = u64::from_le_bytes(*step) ^ u64::from(self.0);
            let parts = tables.iter().rev().zip(mixed.to_le_bytes());
            self.0 = parts.fold(0, |crc, (table, byte)| crc ^ table[usize::from(byte)]);
        }
        for byte in rest {
            self.0 = self.0 >> 8 ^ tables[0][usize::from(self.0 as u8 ^ byte)];
        }
    }

    pub(super) fn finalize(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_checksum_of_zip_files() {
        let mut hasher = Hasher::default();
        hasher.update(b"123456789");
        assert_eq!(hasher.finalize(), 0xCBF4_3926);
        let bytes: Vec<u8> = (0..300_u32).map(|n| (n.wrapping_mul(0x9E37_79B9) >> 24) as u8).collect();
        for from in 0..9 {
            for to in from..bytes.len() {
                let mut hasher = Hasher::default();
                let middle = usize::midpoint(from, to);
                hasher.update(&bytes[from..middle]);
                hasher.update(&bytes[middle..to]);
                assert_eq!(hasher.finalize(), crc32fast::hash(&bytes[from..to]), "{from}..{to}");
            }
        }
    }
}
