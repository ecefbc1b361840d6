//! One file, line by line.

use std::path::Path;

use super::apply::{Importer, Tally};
use super::lines::Lines;
use super::report::Reporter;
use super::response::Response;
use super::resume::{Bookmark, Wanted};
use crate::args::ImportArgs;
use crate::error::{Error, Result};
use crate::progress;
use crate::text::clean;

/// Imports a file from where an earlier import ended.
pub(super) async fn import(
    importer: &Importer<'_>,
    path: &Path,
    args: &ImportArgs,
    report: &mut Reporter<'_>,
) -> Result<Tally> {
    let mut bookmark = Bookmark::load(importer.store, path, args).await?;
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    let bar = progress::bytes(size, args.quiet || report.out.json);
    bar.set_prefix(clean(&path.file_name().unwrap_or_default().to_string_lossy()));
    let mut lines = Lines::open(path, args, &bar)?;
    let file = lines.name.clone();
    let mut tally = Tally::default();
    while let Some(line) = lines.next().map_err(|e| kept(e, &tally))? {
        let wanted = bookmark.at(&line);
        if wanted == Wanted::Done {
            tally.skipped += 1;
            continue;
        }
        let response = Response::read(&line, args.room.as_ref(), &file).map_err(|e| kept(e, &tally))?;
        if wanted == Wanted::IfPage && matches!(response, Response::Sync { .. }) {
            tally.skipped += 1;
            continue;
        }
        let step = importer.apply(response, &mut bookmark).await;
        let step = step.map_err(|e| kept(e.at(&file, line.number), &tally))?;
        tally.add(&Tally { responses: 1, bytes: line.bytes.len() as u64, ..step });
        bar.set_message(format!("{} new events", tally.events));
        report.line(&file, line.number, &tally)?;
    }
    bar.finish_and_clear();
    if tally.responses + tally.skipped == 0 {
        return Err(Error::Input(format!("{file} has no responses in it: there is nothing to import")));
    }
    Ok(tally)
}

/// The error with what became of the lines before it.
fn kept(error: Error, tally: &Tally) -> Error {
    let Error::Line { file, line, reason } = error else { return error };
    let before = match tally.responses + tally.skipped {
        0 => "nothing of this file was imported",
        1 => "the one response before it is imported, the same command goes on after it",
        _ => "all before it is imported, the same command goes on after that",
    };
    Error::Line { file, line, reason: format!("{reason} ({before})") }
}
