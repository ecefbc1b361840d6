//! Standard output, for people or for programs.

use std::io::{self, BufWriter, Stdout, Write};

use serde::Serialize;

/// Buffered standard output. A reader that goes away is an error to pass on, not a panic.
pub(crate) struct Out {
    stdout: BufWriter<Stdout>,
    pub(crate) json: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { stdout: BufWriter::new(io::stdout()), json }
    }

    /// One JSON document on a line of its own.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        // Stored content is kept byte for byte. A line end in it is white space: in texts it is escaped.
        line.retain(|byte| !matches!(byte, b'\n' | b'\r'));
        line.push(b'\n');
        self.stdout.write_all(&line)
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stdout.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
