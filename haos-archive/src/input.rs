//! The plaintext of a file, be it encrypted or not.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use age::stream::StreamReader;
use haos_store_api::{Error, ErrorKind, MaybeSend, Result};

use crate::Identity;
use crate::crypt::{MAGIC, MOST_HEADER, is_of_the_content};
use crate::format::{Frame, Header, Trailer, corrupt};

/// A file of an archive: anything that can be read and sought, such as a [`File`](std::fs::File) or a
/// [`Cursor`](std::io::Cursor).
pub trait Source: Read + Seek + MaybeSend {}
impl<T: Read + Seek + MaybeSend> Source for T {}

/// The bytes of a part of age's payload, and with the tag behind them.
const PART: u64 = 64 << 10;
const SEALED_PART: u64 = PART + 16;

type Buffered = BufReader<Box<dyn Source>>;

enum Plain {
    AsItIs(Buffered),
    Decrypted(Box<StreamReader<Buffered>>),
}

/// A file, decrypted where it is encrypted.
pub(crate) struct Input {
    from: Plain,
    /// The bytes of the plaintext, as far as they can be read.
    pub(crate) size: u64,
    at: u64,
    /// True once a read failed: age's reader may then give wrong bytes or panic.
    failed: bool,
    pub(crate) header: Header,
}

impl Input {
    /// Opens a file that is whole.
    pub(crate) fn open(source: Box<dyn Source>, identity: Option<&Identity>) -> Result<Self> {
        Self::begin(source, identity, true)
    }

    /// Opens a file whose end may be missing, to be read from front to back.
    pub(crate) fn open_partial(source: Box<dyn Source>, identity: Option<&Identity>) -> Result<Self> {
        Self::begin(source, identity, false)
    }

    fn begin(mut source: Box<dyn Source>, identity: Option<&Identity>, whole: bool) -> Result<Self> {
        let mut size = source.seek(SeekFrom::End(0)).map_err(read_failed)?;
        source.rewind().map_err(read_failed)?;
        let mut start = Vec::new();
        source.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start).map_err(read_failed)?;
        let from = if start == MAGIC {
            let identity = identity.ok_or_else(|| {
                let message = "the archive is encrypted: give its passphrase or a key";
                Error::new(ErrorKind::Sealed, "archive", message)
            })?;
            bounded_header(&mut source)?;
            source.rewind().map_err(read_failed)?;
            let mut source = BufReader::new(source);
            let payload = payload_offset(&mut source)?;
            let mut reader = identity.unwrap(source)?;
            if whole {
                // This authenticates the end too.
                size = reader.seek(SeekFrom::End(0)).map_err(read_failed)?;
                reader.rewind().map_err(read_failed)?;
            } else {
                // The last part may be cut, and age's reader does not recover from an error.
                size = size.saturating_sub(payload + 1) / SEALED_PART * PART;
            }
            Plain::Decrypted(Box::new(reader))
        } else {
            if identity.is_some() && start.starts_with(&Header::MAGIC) {
                let message = "the archive is not encrypted, so nothing vouches for it: open it without a passphrase or key";
                return Err(Error::new(ErrorKind::NotSealed, "archive", message));
            }
            source.rewind().map_err(read_failed)?;
            Plain::AsItIs(BufReader::with_capacity(64 << 10, source))
        };
        let mut input = Self { from, size, at: 0, failed: false, header: Header::unknown() };
        let mut bytes = Vec::new();
        input.by_ref().take(Header::BYTES as u64).read_to_end(&mut bytes).map_err(read_failed)?;
        input.header = Header::decode(&bytes)?;
        Ok(input)
    }

    pub(crate) fn is_encrypted(&self) -> bool {
        matches!(self.from, Plain::Decrypted(_))
    }

    /// Reads the frame at a place, and moves behind it.
    pub(crate) fn frame(&mut self, offset: u64) -> Result<Frame> {
        self.seek(offset)?;
        let left = self.size - offset;
        Frame::read(self, left)
    }

    /// Reads the trailer.
    pub(crate) fn trailer(&mut self) -> Result<Trailer> {
        let Some(offset) = self.size.checked_sub(Trailer::BYTES as u64) else {
            return Err(corrupt("it ends before its end"));
        };
        self.seek(offset)?;
        let mut bytes = [0; Trailer::BYTES];
        self.read_exact(&mut bytes).map_err(read_failed)?;
        Trailer::decode(&bytes, self.size)
    }

    fn seek(&mut self, offset: u64) -> Result<()> {
        // age's reader must not be sent beyond its end.
        if offset > self.size {
            return Err(corrupt("it names a place behind its end"));
        }
        if self.failed {
            return Err(corrupt("an earlier part of it could not be read"));
        }
        if offset != self.at {
            let to = SeekFrom::Start(offset);
            let sought = match &mut self.from {
                Plain::AsItIs(from) => from.seek(to),
                Plain::Decrypted(from) => from.seek(to),
            };
            sought.map_err(|e| {
                self.failed = true;
                read_failed(e)
            })?;
            self.at = offset;
        }
        Ok(())
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.from {
            Plain::AsItIs(from) => from.read(bytes),
            Plain::Decrypted(from) => from.read(bytes),
        };
        let read = read.inspect_err(|_| self.failed = true)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Looks for the end of an age header, which is a line that begins with `---`.
fn bounded_header(source: &mut Box<dyn Source>) -> Result<()> {
    source.rewind().map_err(read_failed)?;
    let mut start = Vec::new();
    source.by_ref().take(MOST_HEADER as u64).read_to_end(&mut start).map_err(read_failed)?;
    match start.windows(4).any(|four| four == b"\n---") {
        true => Ok(()),
        false => Err(corrupt("the header of its encryption has no end")),
    }
}

/// Finds the first byte behind an age header and its nonce.
fn payload_offset(source: &mut Buffered) -> Result<u64> {
    let _ = age::Decryptor::new_buffered(&mut *source).map_err(crate::crypt::failed)?;
    let offset = source.stream_position().map_err(read_failed)?;
    source.rewind().map_err(read_failed)?;
    Ok(offset)
}

/// Makes the error of a read.
pub(crate) fn read_failed(error: io::Error) -> Error {
    if is_of_the_content(&error) {
        return corrupt("it ends too early, or its encryption is invalid").with_source(error);
    }
    Error::io("archive", "the archive cannot be read", error)
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Input").field("id", &self.header.id).finish_non_exhaustive()
    }
}
