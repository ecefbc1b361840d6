//! `haos compact`: gives free space back.

use std::io::Write as _;

use haos_store::Maintenance;
use serde::Serialize;

use crate::error::Result;
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::bytes;

#[derive(Serialize)]
struct Compacted {
    freed_bytes: u64,
    total_bytes: u64,
}

pub(crate) async fn run(store: &Target, out: &mut Out) -> Result<()> {
    let opened = store.existing().await?;
    let (bar, progress) = progress::chore("compacting", out.json);
    let report = opened.store.maintain(Maintenance::Compact, progress).await?;
    bar.finish_and_clear();
    let usage = opened.store.usage().await?;
    opened.store.close().await?;
    let done = Compacted { freed_bytes: report.freed_bytes, total_bytes: usage.total_bytes };
    if out.json {
        return Ok(out.json(&done)?);
    }
    let (freed, total) = (bytes(done.freed_bytes), bytes(done.total_bytes));
    Ok(writeln!(out, "{freed} given back; the store has {total} now")?)
}
