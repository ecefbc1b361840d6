use std::fmt;

use haos_store_api::{Error, ErrorKind, Progress, Result};

use super::check;
use super::records::Records;
use crate::format::{ArchiveId, CATALOGUE, Catalogue, Entry, Rows, corrupt, decode};
use crate::input::{Input, Source};
use crate::{Identity, Summary};

/// An archive, open for reading.
///
/// It takes memory for its catalogue, 51 bytes a chunk, and for one chunk.
pub struct Archive {
    /// The chain, the full one first and the archive itself last.
    pub(crate) files: Vec<Input>,
    pub(super) catalogue: Catalogue,
}

impl Archive {
    /// Opens an archive: the last of `sources`. An incremental one needs those that it builds on before it, in any order.
    ///
    /// # Errors
    /// `Invalid` for a file that is no archive, and if an earlier archive is missing or does not belong to it;
    /// `NewerSchema` for one of a later version; `Sealed`, `WrongKey` and `NotSealed` where `identity` is absent, is of
    /// another archive, or is given for a plain one; `Unsupported` for a passphrase whose cost is not accepted;
    /// `Corrupt`, `Io`.
    pub fn open(sources: Vec<Box<dyn Source>>, identity: Option<&Identity>) -> Result<Self> {
        let inputs = sources.into_iter().map(|source| Input::open(source, identity));
        let mut inputs: Vec<Input> = inputs.collect::<Result<_>>()?;
        let Some(mut last) = inputs.pop() else {
            return Err(Error::new(ErrorKind::Invalid, "archive", "give the archive to open"));
        };
        let catalogue = catalogue(&mut last)?;
        let mut files = chain(&catalogue.summary, inputs)?;
        files.push(last);
        for entry in &catalogue.entries {
            let size = files.get(usize::from(entry.file)).map_or(0, |file| file.size);
            if entry.offset + u64::from(entry.length) > size {
                return Err(corrupt("its catalogue names a place outside of an earlier archive"));
            }
        }
        Ok(Self { files, catalogue })
    }

    /// Opens an archive from files; see [`open`](Self::open).
    ///
    /// # Errors
    /// As [`open`](Self::open), and `Io` for a file that cannot be opened.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open_files(
        paths: impl IntoIterator<Item = impl AsRef<std::path::Path>>,
        identity: Option<&Identity>,
    ) -> Result<Self> {
        let open = |path: &std::path::Path| {
            let file = std::fs::File::open(path)
                .map_err(|e| Error::io("archive", format!("{} cannot be opened", path.display()), e))?;
            Ok(Box::new(file) as Box<dyn Source>)
        };
        let files = paths.into_iter().map(|path| open(path.as_ref())).collect::<Result<_>>()?;
        Self::open(files, identity)
    }

    /// Returns what the archive says of itself.
    pub fn summary(&self) -> &Summary {
        &self.catalogue.summary
    }

    /// Tells whether it is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.files.iter().all(Input::is_encrypted)
    }

    /// Counts its records, which [`records`](Self::records) reads.
    pub fn record_count(&self) -> u64 {
        self.catalogue.entries.len() as u64
    }

    /// Reads the records, in the order that [`Record`](crate::Record) tells. Each chunk is compared with its hash before
    /// its rows are read.
    pub fn records(&mut self) -> Records<'_> {
        Records::new(self)
    }

    /// Reads every byte of every file of the chain, and every record; progress is in bytes.
    ///
    /// # Errors
    /// `Corrupt` if any byte is not as it was written, `Io`.
    pub fn check(&mut self, progress: &Progress) -> Result<()> {
        check::check(self, progress)
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.catalogue.entries
    }

    /// Reads a chunk.
    pub(crate) fn rows(&mut self, entry: &Entry) -> Result<Rows> {
        let file = self.files.get_mut(usize::from(entry.file));
        let file = file.ok_or_else(|| corrupt("its catalogue names an unknown file"))?;
        let frame = file.frame(entry.offset)?;
        let head = &frame.head;
        let is_the_one = head.kind == entry.tag as u8
            && head.hash == entry.hash
            && head.raw == entry.raw
            && head.frame_bytes() == u64::from(entry.length);
        if !is_the_one {
            return Err(corrupt("a chunk is not the one that its catalogue names"));
        }
        let raw = frame.unpack()?;
        if raw.first() != Some(&head.kind) {
            return Err(corrupt("a chunk holds other rows than its frame says"));
        }
        decode(raw)
    }
}

/// Reads the catalogue of a file.
pub(super) fn catalogue(file: &mut Input) -> Result<Catalogue> {
    let trailer = file.trailer()?;
    let frame = file.frame(trailer.offset)?;
    if frame.head.kind != CATALOGUE
        || frame.head.hash != trailer.hash
        || frame.head.frame_bytes() != trailer.length
    {
        return Err(corrupt("its catalogue is not the one that its end names"));
    }
    Catalogue::decode(&frame.unpack()?, file.header.id, trailer.offset)
}

/// Puts the earlier archives into their order.
fn chain(summary: &Summary, mut given: Vec<Input>) -> Result<Vec<Input>> {
    let invalid = |message: String| Error::new(ErrorKind::Invalid, "archive", message);
    let number = summary.base.len() + 1;
    let mut files = Vec::new();
    for (id, nr) in summary.base.iter().zip(1..) {
        let Some(at) = given.iter().position(|input| input.header.id == *id) else {
            return Err(invalid(format!(
                "the archive builds on {} earlier: number {nr} of {number}, with the id {id}, is missing; give its file too",
                summary.base.len()
            )));
        };
        files.push(given.swap_remove(at));
    }
    match given.first() {
        Some(other) => Err(invalid(format!(
            "the archive with the id {} is none that this one builds on: leave it out",
            ArchiveId::to_string(&other.header.id)
        ))),
        None => Ok(files),
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Archive").field("summary", self.summary()).finish_non_exhaustive()
    }
}
