use std::collections::BTreeMap;
use std::io::Write as _;

use haos_archive::{Counts, Restored, Summary};
use haos_store::Collection;
use serde::Serialize;

use crate::error::Result;
use crate::out::Out;
use crate::text::{bytes, number, plural, time};

/// An archive, for programs.
#[derive(Serialize)]
pub(super) struct ArchiveFields {
    file: String,
    id: String,
    revision: u64,
    time_ms: i64,
    base: Vec<String>,
    encrypted: bool,
    session: bool,
    rows: BTreeMap<&'static str, u64>,
    media_bytes: u64,
    unreadable: BTreeMap<&'static str, u64>,
}

impl ArchiveFields {
    pub(super) fn new(file: String, summary: &Summary, encrypted: bool) -> Self {
        let named = |counts: &BTreeMap<Collection, u64>| {
            counts.iter().map(|(collection, rows)| (collection.name(), *rows)).collect()
        };
        Self {
            file,
            id: summary.id.to_string(),
            revision: summary.revision.0,
            time_ms: summary.time_ms,
            base: summary.base.iter().map(ToString::to_string).collect(),
            encrypted,
            session: summary.session,
            rows: named(&summary.counts),
            media_bytes: summary.media_bytes,
            unreadable: named(&summary.left_out),
        }
    }

    pub(super) fn print(&self, out: &mut Out) -> Result<()> {
        let rows = |name| self.rows.get(name).copied().unwrap_or_default();
        let encrypted = if self.encrypted { "encrypted, " } else { "plain, " };
        writeln!(out, "{} ({encrypted}of {})", self.file, time(self.time_ms))?;
        writeln!(
            out,
            "  {} of {}, {} of media with {}, {}",
            plural(rows("messages"), "message"),
            plural(rows("rooms"), "room"),
            plural(rows("media"), "item"),
            bytes(self.media_bytes),
            plural(rows("pending"), "unsent message"),
        )?;
        for (name, rows) in &self.unreadable {
            writeln!(
                out,
                "  left out, since the store cannot read them: {} of {name}",
                plural(*rows, "row")
            )?;
        }
        Ok(())
    }
}

/// What came of a restore, for programs.
#[derive(Serialize)]
pub(super) struct RestoredFields {
    changed: bool,
    collections: BTreeMap<&'static str, CountFields>,
    left_out: Vec<LeftOut>,
}

#[derive(Serialize)]
struct CountFields {
    new: u64,
    merged: u64,
    unchanged: u64,
    left_out: u64,
}

#[derive(Serialize)]
struct LeftOut {
    collection: &'static str,
    rows: u64,
    reason: String,
}

impl From<&Restored> for RestoredFields {
    fn from(restored: &Restored) -> Self {
        let collections = Collection::ALL.iter().map(|collection| {
            let Counts { new, merged, unchanged, left_out } = restored.of(*collection);
            (collection.name(), CountFields { new, merged, unchanged, left_out })
        });
        let left_out = restored.left_out().map(|(collection, reason, rows)| LeftOut {
            collection: collection.name(),
            rows,
            reason: reason.to_string(),
        });
        Self {
            changed: !restored.is_unchanged(),
            collections: collections.collect(),
            left_out: left_out.collect(),
        }
    }
}

impl RestoredFields {
    pub(super) fn print(&self, out: &mut Out) -> Result<()> {
        if !self.changed {
            writeln!(out, "The store has all of it already")?;
        }
        for (name, counts) in &self.collections {
            if counts.new + counts.merged > 0 {
                let (new, merged) = (number(counts.new), number(counts.merged));
                writeln!(
                    out,
                    "{name}: {new} new, {merged} merged, {} as they were",
                    number(counts.unchanged)
                )?;
            }
        }
        for LeftOut { collection, rows, reason } in &self.left_out {
            writeln!(out, "left out of {collection}: {}: {reason}", plural(*rows, "row"))?;
        }
        Ok(())
    }
}
