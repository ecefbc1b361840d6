//! The responses of a file, one after the other, none larger than a limit.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use indicatif::ProgressBar;

use crate::args::ImportArgs;
use crate::error::{Error, Result};
use crate::text::{bytes, why};

/// The first bytes of every zstd frame, RFC 8878 section 3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Refuses what cannot be a file of responses.
pub(super) fn check(path: &Path) -> Result<()> {
    let shown = path.display();
    let fault = |what: &str| Err(Error::Input(format!("{shown} {what}")));
    match std::fs::metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => fault("does not exist: check its name"),
        Err(e) => fault(&format!("cannot be read: {e}")),
        Ok(meta) if meta.is_dir() => fault("is a folder: name the files in it"),
        Ok(meta) if !meta.is_file() => fault("is no regular file: save what it gives to one first"),
        Ok(meta) if meta.len() == 0 => fault("is empty: there is nothing to import"),
        Ok(_) => Ok(()),
    }
}

/// The most of a `.json` file, where nothing else is said: as much as is read of a server's answer.
const DOCUMENT: u64 = 256 << 20;
/// The most of a file of lines, after decompression, where nothing else is said.
const LINES: u64 = 64 << 30;
/// Blank lines are skipped, but a file has no reason for more bytes of them.
const BLANK: u64 = 16 << 20;

/// A line, or the whole of a `.json` file.
pub(super) struct Line<'a> {
    /// From 1.
    pub(super) number: u64,
    /// Without the line end.
    pub(super) bytes: &'a [u8],
}

/// Reads a file response by response, through zstd if it is compressed, in bounded memory.
pub(super) struct Lines {
    pub(super) name: String,
    reader: Box<dyn BufRead>,
    whole: bool,
    /// The most of a line.
    line_limit: u64,
    /// The most of the file, and what is left of it.
    file_limit: u64,
    left: u64,
    blank: u64,
    number: u64,
    buffer: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path, args: &ImportArgs, bar: &ProgressBar) -> Result<Self> {
        check(path)?;
        let name = path.display().to_string();
        let whole = is_document(&name);
        let reader =
            reader(path, bar).map_err(|e| Error::Input(format!("{name} cannot be read: {}", reason(&e))))?;
        let file_limit = args.max_file.unwrap_or(if whole { DOCUMENT } else { LINES });
        let line_limit = if whole { file_limit } else { args.max_line };
        let buffer = Vec::new();
        Ok(Self {
            name,
            reader,
            whole,
            line_limit,
            file_limit,
            left: file_limit,
            blank: 0,
            number: 0,
            buffer,
        })
    }

    /// The next line that is not blank.
    pub(super) fn next(&mut self) -> Result<Option<Line<'_>>> {
        loop {
            self.buffer.clear();
            self.number += 1;
            let most = self.line_limit.min(self.left);
            let mut reader = self.reader.by_ref().take(most.saturating_add(1));
            let read = if self.whole {
                reader.read_to_end(&mut self.buffer)
            } else {
                reader.read_until(b'\n', &mut self.buffer)
            };
            let read = read.map_err(|e| Error::Input(reason(&e)).at(&self.name, self.number))?;
            if read == 0 {
                return Ok(None);
            }
            let Some(left) = self.left.checked_sub(read as u64) else { return Err(self.file_too_large()) };
            self.left = left;
            if !self.whole && self.buffer.ends_with(b"\n") {
                self.buffer.pop();
            }
            if self.buffer.len() as u64 > self.line_limit {
                return Err(self.line_too_large());
            }
            if !self.buffer.trim_ascii().is_empty() {
                return Ok(Some(Line { number: self.number, bytes: self.buffer.trim_ascii_end() }));
            }
            self.blank += read as u64;
            if self.blank > BLANK {
                return Err(self.fault(format!(
                    "more than {} of the file are blank lines: check what wrote it",
                    bytes(BLANK)
                )));
            }
        }
    }

    fn file_too_large(&self) -> Error {
        let limit = bytes(self.file_limit);
        self.fault(format!(
            "the file has more than {limit}: if that is right, raise the limit with --max-file"
        ))
    }

    fn line_too_large(&self) -> Error {
        let limit = bytes(self.line_limit);
        self.fault(format!(
            "the line has more than {limit}: if that is right, raise the limit with --max-line; one response \
             over several lines belongs into a .json file"
        ))
    }

    fn fault(&self, reason: String) -> Error {
        Error::Input(reason).at(&self.name, self.number)
    }
}

/// Tells if the name is that of one document rather than of lines.
fn is_document(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.strip_suffix(".zst").unwrap_or(&name).ends_with(".json")
}

fn reader(path: &Path, bar: &ProgressBar) -> io::Result<Box<dyn BufRead>> {
    let mut file = BufReader::with_capacity(1 << 16, bar.wrap_read(File::open(path)?));
    if file.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        let decoder = zstd::stream::read::Decoder::with_buffer(file)?;
        return Ok(Box::new(BufReader::with_capacity(1 << 16, decoder)));
    }
    Ok(Box::new(file))
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            "the compressed data end too early: the file was cut off, fetch it again".to_owned()
        }
        _ => format!("the file cannot be read on: {}", why(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, document) in [
            ("a.json", true),
            ("a.JSON.zst", true),
            ("a.jsonl", false),
            ("json", false),
            ("a.jsonl.zst", false),
        ] {
            assert_eq!(is_document(name), document, "{name}");
        }
    }
}
