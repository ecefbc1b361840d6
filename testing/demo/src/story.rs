//! The words of the demo.

use std::fmt::Arguments;
use std::io::Write as _;
use std::time::Duration;

use haos_cli::parts::{Out, Result, bytes, number};
use serde::Serialize;

/// The figures, as `--json` prints them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Figures {
    pub(super) pass: bool,
    pub(super) kills: u64,
    pub(super) rooms: u64,
    pub(super) events: u64,
    pub(super) gaps: u64,
    pub(super) import_seconds: f64,
    pub(super) file_bytes: u64,
    pub(super) payload_bytes: u64,
    pub(super) outbox: super::offline::Figures,
    pub(super) seconds: f64,
}

/// Tells people as it goes, and programs at the end.
pub(super) struct Story<'o> {
    out: &'o mut Out,
    pub(super) figures: Figures,
}

impl<'o> Story<'o> {
    pub(super) fn new(out: &'o mut Out) -> Self {
        Self { out, figures: Figures::default() }
    }

    /// One line.
    pub(super) fn say(&mut self, line: Arguments<'_>) -> Result<()> {
        if !self.out.json {
            writeln!(self.out, "{line}")?;
            self.out.flush()?;
        }
        Ok(())
    }

    /// The totals.
    pub(super) fn end(mut self, took: Duration) -> Result<()> {
        self.figures.pass = true;
        self.figures.seconds = took.as_secs_f64();
        let Figures { kills, rooms, events, gaps, file_bytes, payload_bytes, .. } = self.figures;
        let (seconds, imports) = (self.figures.seconds, self.figures.import_seconds);
        self.say(format_args!("\n11. Totals"))?;
        self.say(format_args!(
            "   {} events in {rooms} rooms, {gaps} gaps left, {kills} kills survived",
            number(events)
        ))?;
        let sent = self.figures.outbox.total();
        self.say(format_args!("   {sent}"))?;
        self.say(format_args!(
            "   {} on disk: {} bytes a message ({} of them the message itself)",
            bytes(file_bytes),
            file_bytes / events.max(1),
            payload_bytes / events.max(1)
        ))?;
        self.say(format_args!(
            "   {seconds:.1} s in all, {imports:.1} s of it in imports that ran to their end"
        ))?;
        self.say(format_args!("PASS"))?;
        if self.out.json {
            self.out.json(&self.figures)?;
        }
        Ok(())
    }
}
