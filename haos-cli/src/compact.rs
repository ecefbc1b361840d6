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
    let compact = async |progress| opened.store.maintain(Maintenance::Compact, progress).await;
    let report = progress::chore("compacting", out.json, compact).await?;
    let usage = opened.store.usage().await?;
    opened.store.close().await?;
    let done = Compacted { freed_bytes: report.freed_bytes, total_bytes: usage.total_bytes };
    let (freed, total) = (bytes(done.freed_bytes), bytes(done.total_bytes));
    out.tell(&done, |out| Ok(writeln!(out, "{freed} given back; the store has {total} now")?))
}
