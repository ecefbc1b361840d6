//! The number of the latest commit, kept beside sled: sled may come up at an older one after damage, and does not
//! report it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use haos_store_api::backend::{Crc32, files};
use haos_store_api::{Result, Revision};

use crate::error::{explained, io};
use haos_store_api::backend::kv::Head;

/// Revision, last sequence number, checksum.
const SLOT: usize = 8 + 8 + 4;
/// Slots are written in turn, each on a page of its own: a torn write leaves the other.
const PAGE: u64 = 4096;

/// The latest flushed commit, as far as the marker knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) revision: Revision,
    pub(crate) last_seq: u64,
}

impl From<&Head> for Mark {
    fn from(head: &Head) -> Self {
        Self { revision: head.revision, last_seq: head.last_seq }
    }
}

impl Mark {
    fn encode(self) -> [u8; SLOT] {
        let mut bytes = [0; SLOT];
        bytes[..8].copy_from_slice(&self.revision.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.last_seq.to_be_bytes());
        let sum = Crc32::of(&bytes[..16]);
        bytes[16..].copy_from_slice(&sum.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; SLOT] = bytes.get(..SLOT)?.try_into().ok()?;
        let (numbers, _) = bytes.as_chunks::<8>();
        let [revision, last_seq] = *numbers else { return None };
        let mark =
            Self { revision: Revision(u64::from_be_bytes(revision)), last_seq: u64::from_be_bytes(last_seq) };
        (mark.encode() == *bytes).then_some(mark)
    }
}

/// The file of marks.
#[derive(Debug)]
pub(crate) struct Marker {
    file: File,
    next: u64,
}

impl Marker {
    /// Opens the file, and makes it if it is absent; returns the latest mark.
    pub(crate) fn open(path: &Path) -> Result<(Self, Option<Mark>)> {
        let fault = |e| io("open", e);
        let file = files::open("open", path).map_err(explained)?;
        let mut bytes = Vec::new();
        (&file).take(2 * PAGE).read_to_end(&mut bytes).map_err(fault)?;
        let slot = |n: usize| bytes.get(n * PAGE as usize..).and_then(Mark::decode);
        let (first, second) = (slot(0), slot(1));
        if !bytes.is_empty() && first.is_none() && second.is_none() {
            tracing::warn!("the marker is unreadable: a rollback since the last commit goes unnoticed");
        }
        let next = u64::from(first > second);
        Ok((Self { file, next }, first.max(second)))
    }

    /// Writes a mark. It is not synced: a mark that is lost with the power tells less than it could, and nothing wrong.
    pub(crate) fn write(&mut self, mark: Mark) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(self.next * PAGE))?;
        self.file.write_all(&mark.encode())?;
        self.next = 1 - self.next;
        Ok(())
    }

    /// Makes the file survive power loss.
    pub(crate) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(n: u64) -> Mark {
        Mark { revision: Revision(n), last_seq: n / 2 }
    }

    #[test]
    fn the_latest_is_found_and_the_one_before_survives_a_torn_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("commits");
        let (mut marker, none) = Marker::open(&path).unwrap();
        assert_eq!(none, None);
        for n in 1..=5 {
            marker.write(mark(n)).unwrap();
            let (again, found) = Marker::open(&path).unwrap();
            assert_eq!(found, Some(mark(n)));
            marker = again;
        }
        let bytes = std::fs::read(&path).unwrap();
        for bit in 0..bytes.len() * 8 {
            if (SLOT..PAGE as usize).contains(&(bit / 8)) {
                continue;
            }
            let mut torn = bytes.clone();
            torn[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &torn).unwrap();
            let (_, found) = Marker::open(&path).unwrap();
            assert!([Some(mark(4)), Some(mark(5))].contains(&found), "bit {bit}");
        }
    }

    #[test]
    fn nonsense_is_no_mark() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("commits");
        std::fs::write(&path, vec![7; 9000]).unwrap();
        assert_eq!(Marker::open(&path).unwrap().1, None);
    }
}
