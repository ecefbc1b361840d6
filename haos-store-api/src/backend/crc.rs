//! The checksum of rows and records, for backends too.

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
use computed::Hasher;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use crc32fast::Hasher;

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

/// For browsers: tables that are computed when first used, instead of 16 KB in the module that do not compress.
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
mod computed {
    use std::fmt;
    use std::sync::LazyLock;

    use crc::{CRC_32_ISO_HDLC, Crc, Digest, Table};

    static TABLES: LazyLock<Crc<u32, Table<16>>> =
        LazyLock::new(|| Crc::<u32, Table<16>>::new(&CRC_32_ISO_HDLC));

    #[derive(Clone)]
    pub(super) struct Hasher(Digest<'static, u32, Table<16>>);

    impl Default for Hasher {
        fn default() -> Self {
            Self(TABLES.digest())
        }
    }

    impl fmt::Debug for Hasher {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("Hasher")
        }
    }

    impl Hasher {
        pub(super) fn update(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }

        pub(super) fn finalize(self) -> u32 {
            self.0.finalize()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_that_of_zip_files() {
        assert_eq!(Crc32::of(b"123456789"), 0xcbf4_3926);
    }

    proptest! {
        #[test]
        fn a_browser_has_the_same(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..4)) {
            let (mut ours, mut browsers) = (Crc32::default(), computed::Hasher::default());
            for part in &parts {
                ours.update(part);
                browsers.update(part);
            }
            prop_assert_eq!(ours.finish(), browsers.finalize());
        }
    }
}
