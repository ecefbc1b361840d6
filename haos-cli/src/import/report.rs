//! The report of an import.

use std::io::{self, Write as _};
use std::time::Duration;

use serde::Serialize;

use super::Tally;
use crate::error::Result;
use crate::out::Out;
use crate::text::{bytes, clean, number, plural};

/// Tells of an import. That nobody listens any more does not stop it.
pub(super) struct Reporter<'o> {
    pub(super) out: &'o mut Out,
    pub(super) quiet: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Told<'a> {
    Progress {
        file: &'a str,
        line: u64,
        #[serde(flatten)]
        tally: &'a Tally,
    },
    File {
        file: &'a str,
        #[serde(flatten)]
        tally: &'a Tally,
        seconds: f64,
    },
    Summary {
        files: u64,
        #[serde(flatten)]
        tally: &'a Tally,
        seconds: f64,
        events_per_second: u64,
    },
}

impl Reporter<'_> {
    /// One response is in the store.
    pub(super) fn line(&mut self, file: &str, line: u64, tally: &Tally) -> Result<()> {
        if !self.out.json || self.quiet {
            return Ok(());
        }
        self.tell(|out| out.json(&Told::Progress { file, line, tally }))
    }

    /// A file is done.
    pub(super) fn file(&mut self, file: &str, tally: &Tally, took: Duration) -> Result<()> {
        let seconds = took.as_secs_f64();
        self.tell(|out| {
            if out.json { out.json(&Told::File { file, tally, seconds }) } else { print(out, file, tally) }
        })
    }

    /// All is done.
    pub(super) fn summary(&mut self, files: u64, tally: &Tally, took: Duration) -> Result<()> {
        let seconds = took.as_secs_f64();
        let rate = (tally.events as f64 / seconds.max(0.001)) as u64;
        self.tell(|out| {
            if out.json {
                return out.json(&Told::Summary { files, tally, seconds, events_per_second: rate });
            }
            writeln!(
                out,
                "total: {} in {seconds:.2} s: {}, {} ({} events/s); {} opened, {} closed",
                plural(tally.responses, "response"),
                bytes(tally.bytes),
                plural(tally.events, "new event"),
                number(rate),
                plural(tally.gaps_opened, "gap"),
                number(tally.gaps_closed),
            )
        })
    }

    fn tell(&mut self, tell: impl FnOnce(&mut Out) -> io::Result<()>) -> Result<()> {
        match tell(self.out).and_then(|()| self.out.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            told => Ok(told?),
        }
    }
}

fn print(out: &mut Out, file: &str, tally: &Tally) -> io::Result<()> {
    let (responses, events) = (plural(tally.responses, "response"), plural(tally.events, "new event"));
    write!(out, "{}: {responses}, {events}", clean(file))?;
    if tally.gaps_opened + tally.gaps_closed > 0 {
        write!(out, ", {} opened, {} closed", plural(tally.gaps_opened, "gap"), number(tally.gaps_closed))?;
    }
    if tally.held > 0 {
        write!(out, ", {} already held", plural(tally.held, "page"))?;
    }
    if tally.unplaced > 0 {
        write!(out, ", {} left out: the store has no gap for them", plural(tally.unplaced, "page"))?;
    }
    if tally.left_out > 0 {
        write!(out, ", {} not kept: unreadable, or too many of a kind", number(tally.left_out))?;
    }
    if tally.skipped > 0 {
        write!(out, ", {} done before", plural(tally.skipped, "line"))?;
    }
    writeln!(out)
}
