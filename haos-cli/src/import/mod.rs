//! `haos import`: files of responses into the store, each response one commit.

mod account;
mod apply;
mod file;
mod lines;
mod report;
mod response;
mod resume;

use std::time::Instant;

use haos_matrix::{Account, AnswerLimits, KeepLimits, LeftOut};
use haos_store_api::StorageAdapter;

use crate::args::ImportArgs;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::text::plural;

pub(crate) use apply::Tally;
pub use resume::recorded_lines;

/// Imports the files in order.
pub(crate) async fn run(store: &Target, args: &ImportArgs, out: &mut Out) -> Result<()> {
    // Before the store is made: a mistyped file name leaves nothing behind.
    for path in &args.files {
        lines::check(path)?;
    }
    let opened = store.or_create().await?;
    let done = files(&*opened.store, args, out).await;
    let closed = opened.store.close().await;
    done?;
    Ok(closed?)
}

async fn files(store: &dyn StorageAdapter, args: &ImportArgs, out: &mut Out) -> Result<()> {
    let begun = Instant::now();
    let user = account::user(store, args.user.as_ref()).await?;
    let limits = AnswerLimits { entries: args.max_entries, ..AnswerLimits::default() };
    let importer = apply::Importer { store, account: Account { user, limits }, keep: KeepLimits::default() };
    let mut report = report::Reporter { out, quiet: args.quiet };
    let mut total = Tally::default();
    for path in &args.files {
        let begun = Instant::now();
        let before = LeftOut::load(store).await?.total();
        let mut tally = file::import(&importer, path, args, &mut report).await?;
        tally.left_out = LeftOut::load(store).await?.total().saturating_sub(before);
        report.file(&path.display().to_string(), &tally, begun.elapsed())?;
        total.add(&tally);
    }
    report.summary(args.files.len() as u64, &total, begun.elapsed())?;
    if args.strict && total.unplaced > 0 {
        return Err(Error::Input(format!(
            "{} left out, because the store has no gap for them: import the sync that they go on from, then \
             run the same command again",
            plural(total.unplaced, "page")
        )));
    }
    Ok(())
}
