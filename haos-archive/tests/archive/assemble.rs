//! Archives put together by hand, as docs/format.md says: whatever is wrong with them, their checksums are right.

use sha2::{Digest, Sha256};

/// A chunk as the catalogue names it.
#[derive(Clone)]
pub(crate) struct Named {
    pub(crate) tag: u8,
    pub(crate) file: u16,
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) raw: u32,
    pub(crate) hash: [u8; 32],
}

/// An archive under construction.
pub(crate) struct Assembly {
    pub(crate) bytes: Vec<u8>,
    pub(crate) named: Vec<Named>,
    pub(crate) about: String,
}

pub(crate) const ABOUT: &str =
    r#"{"revision":1,"time_ms":0,"base":[],"session":false,"counts":{},"media_bytes":0,"left_out":{}}"#;

impl Assembly {
    pub(crate) fn new() -> Self {
        let mut bytes = b"\x89HAOSAR\n\x01\0\0\0".to_vec();
        bytes.extend([7; 16]);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        Self { bytes, named: Vec::new(), about: ABOUT.to_owned() }
    }

    /// Adds a frame with these lengths and returns its place.
    pub(crate) fn frame(&mut self, kind: u8, packed: &[u8], raw: u32, hash: [u8; 32]) -> (u64, u32) {
        let offset = self.bytes.len() as u64;
        let mut head = vec![kind];
        head.extend((packed.len() as u32).to_le_bytes());
        head.extend(raw.to_le_bytes());
        head.extend(hash);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head);
        crc.update(packed);
        head.extend(crc.finalize().to_le_bytes());
        self.bytes.extend(head);
        self.bytes.extend(packed);
        (offset, 45 + packed.len() as u32)
    }

    /// Adds a chunk and names it.
    pub(crate) fn chunk(&mut self, raw: &[u8]) -> &mut Self {
        let packed = zstd::bulk::compress(raw, 3).unwrap();
        let (tag, hash) = (raw.first().copied().unwrap_or(1), Sha256::digest(raw).into());
        let (offset, length) = self.frame(tag, &packed, raw.len() as u32, hash);
        self.named.push(Named { tag, file: 0, offset, length, raw: raw.len() as u32, hash });
        self
    }

    /// Adds rows of JSON.
    pub(crate) fn rows(&mut self, tag: u8, json: &str) -> &mut Self {
        self.chunk(&[&[tag], json.as_bytes()].concat())
    }

    /// Sets the counts that the archive tells.
    pub(crate) fn counts(&mut self, counts: &str) -> &mut Self {
        self.about = ABOUT.replace("\"counts\":{}", &format!("\"counts\":{counts}"));
        self
    }

    /// Adds catalogue and end.
    pub(crate) fn end(&mut self) -> Vec<u8> {
        let mut raw = (self.about.len() as u32).to_le_bytes().to_vec();
        raw.extend(self.about.as_bytes());
        for named in &self.named {
            raw.push(named.tag);
            raw.extend(named.file.to_le_bytes());
            raw.extend(named.offset.to_le_bytes());
            raw.extend(named.length.to_le_bytes());
            raw.extend(named.raw.to_le_bytes());
            raw.extend(named.hash);
        }
        let packed = zstd::bulk::compress(&raw, 3).unwrap();
        self.end_with(&packed, raw.len() as u32, Sha256::digest(&raw).into())
    }

    /// Adds a catalogue with these lengths and the end.
    pub(crate) fn end_with(&mut self, packed: &[u8], raw: u32, hash: [u8; 32]) -> Vec<u8> {
        let (offset, length) = self.frame(b'C', packed, raw, hash);
        let mut bytes = self.bytes.clone();
        bytes.extend(offset.to_le_bytes());
        bytes.extend(u64::from(length).to_le_bytes());
        bytes.extend(hash);
        bytes.extend(b"HAOSEND\n");
        bytes
    }
}
