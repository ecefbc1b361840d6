//! How much of a file was imported, kept in the store itself.
//!
//! A record belongs to a file's first response and says how many lines are done, with a hash over all of
//! them. A file that was cut off and fetched again, that has grown, or that is compressed now, goes on
//! where it ended; a file that differs in what was done starts over. With a sync, the record is part of
//! the commit; with a page it follows it, which is as good: applying a page twice changes nothing.

use std::path::Path;

use haos_store_api::{
    EventType, Json, Scope, StateEntry, StateKey, StateQuery, StorageAdapter, StorageAdapterExt as _,
    state_kind,
};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::lines::{Line, Lines};
use crate::args::ImportArgs;
use crate::error::Result;

/// A hash over lines, one after the other.
#[derive(Debug, Clone, Default)]
struct Chain([u8; 32]);

impl Chain {
    fn push(&mut self, line: &[u8]) {
        self.0 = Sha256::new().chain_update(self.0).chain_update(line).finalize().into();
    }

    fn text(&self) -> String {
        self.0.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// How far a file was imported.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Record {
    /// The file's name, for people.
    file: String,
    /// Lines done.
    lines: u64,
    /// The hash over them.
    hash: String,
    /// The first line whose page found no gap: from there on, pages are tried again.
    unplaced: Option<u64>,
}

/// An import's decision on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Apply it.
    Yes,
    /// An earlier import did it.
    Done,
    /// An earlier import did it; if it is a page, try it again.
    IfPage,
}

/// The place of an import in a file.
pub(super) struct Bookmark {
    file: String,
    /// The record of an earlier import.
    done: Record,
    key: String,
    chain: Chain,
    line: u64,
    /// The first page of this import that found no gap.
    unplaced: Option<u64>,
}

impl Bookmark {
    /// Before the first line of a file of which an earlier import did something, or nothing.
    pub(super) async fn load(store: &dyn StorageAdapter, path: &Path, args: &ImportArgs) -> Result<Self> {
        let done = if args.again { None } else { done(store, path, args).await? };
        Ok(Self {
            file: path.display().to_string(),
            done: done.unwrap_or_default(),
            key: String::new(),
            chain: Chain::default(),
            line: 0,
            unplaced: None,
        })
    }

    /// Goes on to a line and says what to do with it.
    pub(super) fn at(&mut self, line: &Line<'_>) -> Wanted {
        self.line = line.number;
        self.chain.push(line.bytes);
        if self.key.is_empty() {
            self.key = self.chain.text();
        }
        match self.done.unplaced {
            _ if self.line > self.done.lines => Wanted::Yes,
            Some(unplaced) if self.line >= unplaced => Wanted::IfPage,
            _ => Wanted::Done,
        }
    }

    /// The entry to store once the line is done. `unplaced`: it was a page that found no gap.
    pub(super) fn entry(&mut self, unplaced: bool) -> Result<StateEntry> {
        if unplaced {
            self.unplaced.get_or_insert(self.line);
        }
        let ahead = self.line < self.done.lines;
        let record = Record {
            file: self.file.clone(),
            lines: self.line.max(self.done.lines),
            hash: if ahead { self.done.hash.clone() } else { self.chain.text() },
            unplaced: self.unplaced.or(ahead.then_some(self.line)),
        };
        Ok(StateEntry {
            scope: Scope::Account,
            kind: EventType::new(state_kind::IMPORT)?,
            key: StateKey::new(&self.key)?,
            event_id: None,
            value: Json::of(&record)?,
        })
    }
}

/// How many lines of the file are recorded as done, under the name that it was imported by.
pub async fn recorded_lines(store: &dyn StorageAdapter, path: &Path) -> Result<u64> {
    let records = store.state(StateQuery::kind(Scope::Account, EventType::new(state_kind::IMPORT)?)).await?;
    let records = records.iter().filter_map(|entry| entry.value.parse::<Record>().ok());
    let file = path.display().to_string();
    Ok(records.filter(|record| record.file == file).map(|record| record.lines).max().unwrap_or(0))
}

/// The record of the file, if it is about what the file holds now.
async fn done(store: &dyn StorageAdapter, path: &Path, args: &ImportArgs) -> Result<Option<Record>> {
    let mut lines = Lines::open(path, args, &ProgressBar::hidden())?;
    let mut chain = Chain::default();
    let Some(first) = lines.next()? else { return Ok(None) };
    let mut number = first.number;
    chain.push(first.bytes);
    let key = StateKey::new(chain.text())?;
    let stored = store.state_value(Scope::Account, &EventType::new(state_kind::IMPORT)?, &key).await?;
    // A record of another shape is of another version: importing again is always right.
    let Some(record) = stored.and_then(|value| value.parse::<Record>().ok()) else { return Ok(None) };
    while number < record.lines {
        // A line that cannot be read is met again, and reported, when the file is imported.
        let Ok(Some(line)) = lines.next() else { return Ok(None) };
        number = line.number;
        chain.push(line.bytes);
    }
    Ok((number == record.lines && chain.text() == record.hash).then_some(record))
}
