use std::io::{self, BufWriter, Write};

use age::stream::StreamWriter;
use haos_store_api::{Error, Result};
use sha2::{Digest, Sha256};

use super::known::{Known, Place};
use super::packing::{Chunk, Packing};
use crate::Encryption;
use crate::format::{ArchiveId, CATALOGUE, Catalogue, Entry, Frame, Hash, Header, Tag, Trailer};
use crate::input::Input;

enum Out<W: Write> {
    AsItIs(BufWriter<W>),
    Encrypted(Box<StreamWriter<BufWriter<W>>>),
}

/// Frames on their way into a file.
pub(super) struct Writer<W: Write> {
    out: Out<W>,
    /// The bytes of the plaintext that were written.
    at: u64,
    pub(super) id: ArchiveId,
    /// The file's number in the chain.
    own: u16,
    packing: Packing,
    pub(super) known: Known,
    interrupted: Option<Input>,
}

impl<W: Write> Writer<W> {
    /// Begins a file, the last of a chain of `own` others.
    pub(super) fn begin(
        out: W,
        encryption: Option<&Encryption>,
        own: u16,
        level: i32,
        known: Known,
        interrupted: Option<Input>,
    ) -> Result<Self> {
        let (id, packing) = (ArchiveId::random()?, Packing::new(level)?);
        let out = BufWriter::with_capacity(128 << 10, out);
        let out = match encryption {
            Some(encryption) => Out::Encrypted(Box::new(encryption.wrap(out)?)),
            None => Out::AsItIs(out),
        };
        let mut writer = Self { out, at: 0, id, own, packing, known, interrupted };
        writer.write(&Header { id }.encode())?;
        Ok(writer)
    }

    /// Writes a chunk unless it is known; returns the number of its entry.
    pub(super) fn chunk(&mut self, tag: Tag, raw: Vec<u8>) -> Result<usize> {
        let hash = Hash::from(Sha256::digest(&raw));
        if let Some(nr) = self.reuse(tag, &hash)? {
            return Ok(nr);
        }
        let nr = self.note(tag, raw.len(), hash);
        self.packing.push(nr, Chunk { kind: tag as u8, raw, hash })?;
        self.write_packed(false)?;
        Ok(nr)
    }

    /// Returns the entry's number of a known chunk; copies the chunk as it is out of an interrupted file.
    pub(super) fn reuse(&mut self, tag: Tag, hash: &Hash) -> Result<Option<usize>> {
        let offset = match self.known.place(hash) {
            None => return Ok(None),
            Some(Place::Placed(nr)) => return Ok(Some(nr)),
            Some(Place::Interrupted(offset)) => offset,
        };
        let Some(file) = &mut self.interrupted else { return Ok(None) };
        // Since it was read the file may have lost what it had.
        let Ok(frame) = file.frame(offset) else { return Ok(None) };
        if frame.head.hash != *hash || frame.head.kind != tag as u8 {
            return Ok(None);
        }
        let nr = self.note(tag, frame.head.raw as usize, *hash);
        self.packing.push_packed(nr, frame);
        self.write_packed(false)?;
        Ok(Some(nr))
    }

    /// Notes a chunk whose place in the file is not known yet.
    fn note(&mut self, tag: Tag, raw: usize, hash: Hash) -> usize {
        let raw = u32::try_from(raw).unwrap_or(u32::MAX);
        self.known.note(Entry { tag, file: self.own, offset: 0, length: 0, raw, hash })
    }

    /// Writes the frames that are packed; `all` of them, waiting for those that are not.
    fn write_packed(&mut self, all: bool) -> Result<()> {
        while let Some((nr, frame)) = self.packing.next(all)? {
            let length = u32::try_from(frame.head.frame_bytes()).unwrap_or(u32::MAX);
            self.known.wrote(nr, self.at, length);
            self.write(&frame.head_bytes())?;
            self.write(&frame.packed)?;
        }
        Ok(())
    }

    /// Writes every chunk that is on its way.
    pub(super) fn settle(&mut self) -> Result<()> {
        self.write_packed(true)
    }

    /// Returns the entries of these numbers, each with its place in the file.
    pub(super) fn entries_of(&mut self, nrs: impl Iterator<Item = usize>) -> Result<Vec<Entry>> {
        self.settle()?;
        Ok(self.known.entries_of(nrs))
    }

    /// Writes the catalogue and the end; gives the bytes of the plaintext.
    pub(super) fn end(mut self, catalogue: &Catalogue) -> Result<u64> {
        let raw = catalogue.encode()?;
        let frame = Frame::new(CATALOGUE, &raw, Hash::from(Sha256::digest(&raw)), self.packing.packer())?;
        let (offset, length, hash) = (self.at, frame.head.frame_bytes(), frame.head.hash);
        self.write(&frame.head_bytes())?;
        self.write(&frame.packed)?;
        self.write(&Trailer { offset, length, hash }.encode())?;
        let mut out = match self.out {
            Out::AsItIs(out) => out,
            Out::Encrypted(out) => out.finish().map_err(failed)?,
        };
        out.flush().map_err(failed)?;
        Ok(self.at)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.out {
            Out::AsItIs(out) => out.write_all(bytes),
            Out::Encrypted(out) => out.write_all(bytes),
        }
        .map_err(failed)?;
        self.at += bytes.len() as u64;
        Ok(())
    }
}

fn failed(error: io::Error) -> Error {
    Error::io("backup", "the archive cannot be written", error)
}
