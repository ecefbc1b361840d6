//! zstd: its own library natively, one without C in browsers. Either reads what the other writes.

use haos_store_api::Result;

use super::corrupt;

/// Larger windows than this are neither written nor read: a window is memory of the reader's.
#[cfg(not(target_arch = "wasm32"))]
const WINDOW_LOG: u32 = 23;
/// The first memory for an unpacked payload; more only as bytes come.
const FIRST: usize = 1 << 20;

/// Packs payloads, one after the other.
pub(crate) struct Packer {
    #[cfg(not(target_arch = "wasm32"))]
    compressor: zstd::bulk::Compressor<'static>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Packer {
    /// Packs at a level of zstd's.
    pub(crate) fn new(level: i32) -> Result<Self> {
        let make = || {
            let mut compressor = zstd::bulk::Compressor::new(level)?;
            compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(WINDOW_LOG - 2))?;
            Ok(compressor)
        };
        make().map(|compressor| Self { compressor }).map_err(failed)
    }

    /// Packs a payload.
    pub(crate) fn pack(&mut self, raw: &[u8]) -> Result<Vec<u8>> {
        self.compressor.compress(raw).map_err(failed)
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn failed(error: std::io::Error) -> haos_store_api::Error {
    let message = "zstd failed: free some memory and try again";
    haos_store_api::Error::new(haos_store_api::ErrorKind::Other, "backup", message).with_source(error)
}

#[cfg(target_arch = "wasm32")]
impl Packer {
    /// Packs at the one level of this library that saves space.
    pub(crate) fn new(_: i32) -> Result<Self> {
        Ok(Self {})
    }

    /// Packs a payload.
    pub(crate) fn pack(&mut self, raw: &[u8]) -> Result<Vec<u8>> {
        Ok(ruzstd::encoding::compress_to_vec(raw, ruzstd::encoding::CompressionLevel::Fastest))
    }
}

/// Unpacks a payload of exactly `len` bytes.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn unpack(packed: &[u8], len: usize) -> Result<Vec<u8>> {
    let decoder = || {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?.single_frame();
        decoder.window_log_max(WINDOW_LOG)?;
        Ok::<_, std::io::Error>(decoder)
    };
    exactly(decoder().map_err(|e| corrupt("a part of it is not zstd").with_source(e))?, len)
}

/// Unpacks a payload of exactly `len` bytes.
#[cfg(target_arch = "wasm32")]
pub(crate) fn unpack(packed: &[u8], len: usize) -> Result<Vec<u8>> {
    let decoder = ruzstd::decoding::StreamingDecoder::new(packed)
        .map_err(|e| corrupt("a part of it is not zstd").with_source(e.to_string()))?;
    exactly(decoder, len)
}

/// Reads that many bytes and no more: a small payload may claim to be any size.
fn exactly(from: impl std::io::Read, len: usize) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut raw = Vec::with_capacity(len.min(FIRST));
    from.take(len as u64 + 1)
        .read_to_end(&mut raw)
        .map_err(|e| corrupt("a part of it is not zstd").with_source(e))?;
    if raw.len() != len {
        return Err(corrupt("a part of it unpacks to another length than it says"));
    }
    Ok(raw)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    /// A browser and a desktop read each other's archives.
    #[test]
    fn both_libraries_read_each_other() {
        use std::io::Read;
        let texts =
            [Vec::new(), b"hello".repeat(50_000), (0..200_000_u32).flat_map(u32::to_le_bytes).collect()];
        for raw in texts {
            let packed = Packer::new(3).unwrap().pack(&raw).unwrap();
            let mut read = Vec::new();
            ruzstd::decoding::StreamingDecoder::new(&*packed).unwrap().read_to_end(&mut read).unwrap();
            assert_eq!(read, raw);
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            let packed = ruzstd::encoding::compress_to_vec(&*raw, level);
            assert_eq!(unpack(&packed, raw.len()).unwrap(), raw);
            assert!(unpack(&packed, raw.len() + 1).is_err());
        }
        assert!(unpack(b"no zstd", 7).is_err());
    }
}
