use std::io::{self, BufWriter, Write};

use age::stream::StreamWriter;
use haos_store_api::{Error, Result};
use sha2::{Digest, Sha256};

use super::known::{Known, Place};
use crate::Encryption;
use crate::format::{ArchiveId, CATALOGUE, Catalogue, Entry, Frame, Hash, Header, Packer, Tag, Trailer};
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
    packer: Packer,
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
        let (id, packer) = (ArchiveId::random()?, Packer::new(level)?);
        let out = BufWriter::with_capacity(128 << 10, out);
        let out = match encryption {
            Some(encryption) => Out::Encrypted(Box::new(encryption.wrap(out)?)),
            None => Out::AsItIs(out),
        };
        let mut writer = Self { out, at: 0, id, own, packer, known, interrupted };
        writer.write(&Header { id }.encode())?;
        Ok(writer)
    }

    /// Writes a chunk unless it is known.
    pub(super) fn chunk(&mut self, tag: Tag, raw: &[u8]) -> Result<Entry> {
        let hash = Hash::from(Sha256::digest(raw));
        if let Some(entry) = self.reuse(tag, &hash)? {
            return Ok(entry);
        }
        let frame = Frame::new(tag as u8, raw, hash, &mut self.packer)?;
        self.frame(tag, &frame)
    }

    /// Returns the place of a known chunk; copies it as it is out of an interrupted file.
    pub(super) fn reuse(&mut self, tag: Tag, hash: &Hash) -> Result<Option<Entry>> {
        let offset = match self.known.place(hash) {
            None => return Ok(None),
            Some(Place::Written(entry)) => return Ok(Some(entry)),
            Some(Place::Interrupted(offset)) => offset,
        };
        let Some(file) = &mut self.interrupted else { return Ok(None) };
        // Since it was read the file may have lost what it had.
        let Ok(frame) = file.frame(offset) else { return Ok(None) };
        match frame.head.hash == *hash && frame.head.kind == tag as u8 {
            true => self.frame(tag, &frame).map(Some),
            false => Ok(None),
        }
    }

    fn frame(&mut self, tag: Tag, frame: &Frame) -> Result<Entry> {
        let head = &frame.head;
        let length = u32::try_from(head.frame_bytes()).unwrap_or(u32::MAX);
        let entry = Entry { tag, file: self.own, offset: self.at, length, raw: head.raw, hash: head.hash };
        self.write(&frame.head_bytes())?;
        self.write(&frame.packed)?;
        self.known.wrote(entry);
        Ok(entry)
    }

    /// Writes the catalogue and the end; gives the bytes of the plaintext.
    pub(super) fn end(mut self, catalogue: &Catalogue) -> Result<u64> {
        let raw = catalogue.encode()?;
        let frame = Frame::new(CATALOGUE, &raw, Hash::from(Sha256::digest(&raw)), &mut self.packer)?;
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
