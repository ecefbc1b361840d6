//! Standard output, for people or for programs.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use serde::Serialize;

use crate::clean::{Cleaner, escape};
use crate::error::Result;

/// Buffered standard output. A reader that goes away is an error to pass on, not a panic.
///
/// All output is text, and cleaned of what steers a terminal.
pub struct Out {
    stdout: BufWriter<Stdout>,
    text: Text,
    /// Programs read it.
    pub json: bool,
}

impl Out {
    #[expect(clippy::disallowed_methods, reason = "this is where it is cleaned")]
    pub(crate) fn new(json: bool) -> Self {
        Self { stdout: BufWriter::new(io::stdout()), text: Text::default(), json }
    }

    /// Tells something: as JSON for programs, in words for people.
    pub(crate) fn tell<T: Serialize>(
        &mut self,
        value: &T,
        words: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if self.json { Ok(self.json(value)?) } else { words(self) }
    }

    /// One JSON document on a line of its own.
    pub fn json<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let mut line = serde_json::to_string(value)?;
        // Stored content is kept byte for byte. A line end in it is white space: in texts it is escaped.
        line.retain(|c| !matches!(c, '\n' | '\r'));
        self.stdout.write_all(escape(&line).as_bytes())?;
        self.stdout.write_all(b"\n")
    }

    /// Tells if a terminal shows it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.stdout.get_ref().is_terminal()
    }

    /// The number of columns of the terminal that shows it, if one does.
    #[expect(
        clippy::disallowed_methods,
        reason = "the terminal is asked for its size, and nothing is written"
    )]
    pub(crate) fn columns(&self) -> Option<usize> {
        let (_, columns) = self.is_terminal().then(|| console::Term::stdout().size_checked())??;
        Some(columns.into())
    }

    /// For bytes that are no text: to a file or another program, and never to a terminal.
    pub(crate) fn raw(&mut self) -> Option<&mut impl Write> {
        (!self.is_terminal()).then_some(&mut self.stdout)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdout.write_all(self.text.clean(bytes).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}

/// Cleans a text that comes in pieces, which may be cut within a character.
#[derive(Default)]
struct Text {
    cleaner: Cleaner,
    /// The first bytes of a character.
    begun: Vec<u8>,
}

impl Text {
    fn clean(&mut self, bytes: &[u8]) -> String {
        let mut held = std::mem::take(&mut self.begun);
        held.extend_from_slice(bytes);
        let mut cleaned = String::with_capacity(held.len());
        let mut at = 0;
        for chunk in held.utf8_chunks() {
            self.cleaner.push(chunk.valid(), &mut cleaned);
            let invalid = chunk.invalid();
            at += chunk.valid().len() + invalid.len();
            let is_begun =
                at == held.len() && std::str::from_utf8(invalid).is_err_and(|e| e.error_len().is_none());
            if is_begun {
                self.begun = invalid.to_vec();
            } else if !invalid.is_empty() {
                self.cleaner.push("\u{fffd}", &mut cleaned);
            }
        }
        cleaned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cleaned_however_it_is_cut() {
        let whole = "a\u{1b}[2J\u{9b}1mä\u{202e}👍🏽\r\n\u{2028}x".as_bytes();
        let expected = "a[2J1mä👍🏽 \n x";
        for cut in 0..=whole.len() {
            let mut text = Text::default();
            let (one, two) = whole.split_at(cut);
            assert_eq!(text.clean(one) + &text.clean(two), expected, "cut at {cut}");
        }
        assert_eq!(Text::default().clean(b"a\xff\x9bb"), "a\u{fffd}\u{fffd}b", "no bytes of C1 either");
    }
}
