//! The steps of the demo.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use haos_cli::parts::{Error, Result, number, plural, recorded_lines};
use haos_store_api::{Collection, StorageAdapter};

use super::captures::Captures;
use super::child::{self, Ended, Kill, Told};
use super::story::Story;
use super::truth::{Timelines, Truth};
use super::{reading, second, verify};

pub(super) struct Demo<'d, 'o> {
    pub(super) captures: &'d Captures,
    pub(super) truth: &'d Truth,
    pub(super) store: PathBuf,
    pub(super) story: &'d mut Story<'o>,
}

impl Demo<'_, '_> {
    pub(super) async fn run(&mut self) -> Result<()> {
        self.first_sync().await?;
        self.backfill().await?;
        self.later_syncs().await?;
        if self.story.figures.kills < 2 {
            return Err(Error::Failed("no kill hit an import in the middle: run the demo again".to_owned()));
        }
        self.compare().await?;
        self.story.say(format_args!("\n5. Reading, offline"))?;
        reading::run(&*self.open().await?, self.story).await?;
        self.story.say(format_args!("\n6. Everything a second time"))?;
        second::run(self).await?;
        self.totals().await
    }

    pub(super) async fn open(&self) -> Result<Arc<dyn StorageAdapter>> {
        Ok(haos_store::open(&format!("sqlite:{}", self.store.display())).await?.store)
    }

    async fn first_sync(&mut self) -> Result<()> {
        self.story.say(format_args!("\n1. First sync: the 20 newest events of each room"))?;
        let captures = self.captures;
        let store = self.store.clone();
        if let Ended::Killed { pid } =
            child::import(&store, &captures.initial, &[], &Kill::AtFile(&self.store))?
        {
            let held = self.sound(&[Timelines::new(), self.truth.after(0, 0)?]).await?;
            self.killed(format_args!("process {pid} as soon as its file was there"), &held)?;
        }
        let told = self.finish(&captures.initial)?;
        let held = self.sound(&[self.truth.after(0, 0)?]).await?;
        self.story.say(format_args!("   run again: {}; {held}", brought(&told)))
    }

    async fn backfill(&mut self) -> Result<()> {
        let pages = self.truth.pages();
        self.story.say(format_args!("\n2. Backfill: {pages} pages of older events"))?;
        let captures = self.captures;
        for part in 1..4 {
            let at = pages as u64 * part / 4;
            let ended = child::import(&self.store, &captures.pages, &[], &moment(part, at))?;
            let Ended::Killed { pid } = ended else { break };
            let lines = recorded_lines(&*self.open().await?, &captures.pages).await? as usize;
            // The last page may be in the store, and the note that it is may be lost.
            let held = self.sound(&[self.truth.after(lines, 0)?, self.truth.after(lines + 1, 0)?]).await?;
            self.killed(format_args!("process {pid} at page {lines} of {pages}"), &held)?;
        }
        let told = self.finish(&captures.pages)?;
        let held = self.sound(&[self.truth.after(pages, 0)?]).await?;
        self.story.say(format_args!("   run again: {}; {held}", brought(&told)))
    }

    async fn later_syncs(&mut self) -> Result<()> {
        let (pages, syncs) = (self.truth.pages(), self.truth.syncs());
        self.story.say(format_args!("\n3. Live: {syncs} syncs, some of them with holes"))?;
        let captures = self.captures;
        for part in 1..3 {
            let at = syncs as u64 * part / 3;
            let ended = child::import(&self.store, &captures.syncs, &[], &moment(part, at))?;
            let Ended::Killed { pid } = ended else { break };
            let lines = recorded_lines(&*self.open().await?, &captures.syncs).await? as usize;
            // The note is part of the commit, so nothing is one off.
            let held = self.sound(&[self.truth.after(pages, lines)?]).await?;
            self.killed(format_args!("process {pid} at sync {lines} of {syncs}"), &held)?;
        }
        let told = self.finish(&captures.syncs)?;
        let held = self.sound(&[self.truth.after(pages, syncs)?]).await?;
        self.story.say(format_args!("   run again: {}; {held}", brought(&told)))
    }

    async fn compare(&mut self) -> Result<()> {
        self.story.say(format_args!("\n4. Compared with the server, event by event"))?;
        let store = self.open().await?;
        let stored = verify::timelines(&*store).await?;
        verify::same(&self.truth.after(self.truth.pages(), self.truth.syncs())?, &stored)?;
        let (events, gaps) = verify::count(&stored);
        let (history, holes) = (self.truth.history() as u64, self.truth.holes());
        self.story.say(format_args!(
            "   {} events of the history: every one there, once, in the server's order",
            number(history)
        ))?;
        self.story.say(format_args!(
            "   {} events of the syncs: the same, and {gaps} gaps where the server left events out {holes} times",
            number(events - history)
        ))?;
        let contents = self.truth.contents();
        let (mut same, mut removed) = (0, 0);
        for message in stored.values().flatten().filter_map(|item| item.as_message()) {
            let sent = contents.get(message.id.as_str());
            if sent == Some(&message.content.as_str()) {
                same += 1;
            } else if message.redacted_by.is_some() {
                removed += 1;
            } else {
                let (room, id) = (&message.room, &message.id);
                return Err(Error::Failed(format!("WRONG in room {room}: event {id} has another content")));
            }
        }
        self.story.say(format_args!(
            "   {} contents byte for byte as they were sent, {} emptied by a later redaction",
            number(same),
            number(removed)
        ))?;
        Ok(store.close().await?)
    }

    async fn totals(&mut self) -> Result<()> {
        let store = self.open().await?;
        let usage = store.usage().await?;
        let size = |wanted| {
            let found = usage.collections.iter().find(|(collection, _)| *collection == wanted);
            found.map(|(_, size)| *size).unwrap_or_default()
        };
        let figures = &mut self.story.figures;
        figures.rooms = size(Collection::Rooms).rows;
        figures.events = size(Collection::Messages).rows;
        figures.payload_bytes = size(Collection::Messages).bytes;
        figures.gaps = size(Collection::Gaps).rows;
        store.close().await?;
        figures.file_bytes = std::fs::metadata(&self.store).map_or(usage.total_bytes, |meta| meta.len());
        Ok(())
    }

    /// Imports to the end.
    fn finish(&mut self, file: &Path) -> Result<Told> {
        match child::import(&self.store, file, &[], &Kill::Never)? {
            Ended::Done(told) => {
                self.story.figures.import_seconds += told.seconds;
                Ok(told)
            }
            Ended::Killed { .. } => Err(Error::Failed("the import was killed by somebody else".to_owned())),
        }
    }

    /// Fails unless the store is sound and holds one of the given states as a whole; says what it holds.
    async fn sound(&self, states: &[Timelines<'_>]) -> Result<String> {
        let store = self.open().await?;
        let rows = verify::sound(&*store).await?;
        let stored = verify::timelines(&*store).await?;
        store.close().await?;
        let mut verdict = Ok(());
        for state in states {
            verdict = verify::same(state, &stored);
            if verdict.is_ok() {
                break;
            }
        }
        verdict?;
        let (events, gaps) = verify::count(&stored);
        Ok(format!(
            "{}, {} held, {} sound",
            plural(events, "event"),
            plural(gaps, "gap"),
            plural(rows, "row")
        ))
    }

    fn killed(&mut self, what: std::fmt::Arguments<'_>, held: &str) -> Result<()> {
        self.story.figures.kills += 1;
        self.story.say(format_args!("   killed {what}: whole responses only: {held}"))
    }
}

/// After a line, each time somewhere else in the work on the next ones: reading, writing, committing.
fn moment(part: u64, line: u64) -> Kill<'static> {
    Kill::AfterLine(line, Duration::from_micros(1300 * part))
}

fn brought(told: &Told) -> String {
    let done = if told.skipped > 0 { format!(" ({} done before)", told.skipped) } else { String::new() };
    format!(
        "{}{done}, {} in {:.2} s",
        plural(told.responses, "response"),
        plural(told.events, "new event"),
        told.seconds
    )
}
