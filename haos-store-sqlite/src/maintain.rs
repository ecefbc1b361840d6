//! Chores.

use haos_store_api::backend::native::Shell;
use haos_store_api::*;

use crate::backend::Sqlite;
use crate::writer::Writer;

/// Pages given back in one step; other writes come in between.
const STEP: u32 = 1024;

/// Gives free pages back, step by step.
pub(crate) async fn compact(shell: &Shell<Sqlite>, progress: &Progress) -> Result<Report> {
    let (before, free) = shell.call("maintain", |writer| pages(writer)).await?;
    let mut left = free;
    while left > 0 {
        let (_, now) = shell.call("maintain", vacuum).await?;
        if now >= left {
            break;
        }
        left = now;
        progress.step(free.saturating_sub(left), free);
    }
    let (after, page) = shell
        .call("maintain", |writer| {
            let db = writer.db("maintain");
            // Where readers prevent it, the log is reused.
            let _ = writer.truncate_log();
            Ok((pages(writer)?.0, db.number("PRAGMA page_size", ())?.unsigned_abs()))
        })
        .await?;
    progress.step(free, free);
    Ok(Report { freed_bytes: before.saturating_sub(after) * page, ..Report::default() })
}

/// Counts all pages and the free ones.
fn pages(writer: &Writer) -> Result<(u64, u64)> {
    let db = writer.db("maintain");
    let number = |sql| Ok(db.number(sql, ())?.unsigned_abs());
    Ok((number("PRAGMA page_count")?, number("PRAGMA freelist_count")?))
}

fn vacuum(writer: &mut Writer) -> Result<(u64, u64)> {
    writer.transact(|writer| {
        // One page each time the statement is stepped.
        let step = format!("PRAGMA incremental_vacuum({STEP})");
        writer.db("maintain").all(&step, (), |_| Ok(())).map(drop)
    })?;
    pages(writer)
}
