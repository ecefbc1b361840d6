//! `haos compact`: gives free space back.

use std::io::Write as _;

use haos_store_api::{Maintenance, Progress};
use serde::Serialize;

use crate::error::Result;
use crate::out::Out;
use crate::text::bytes;
use crate::{open, progress};

#[derive(Serialize)]
struct Compacted {
    freed_bytes: u64,
    total_bytes: u64,
}

pub(crate) async fn run(store: &str, out: &mut Out) -> Result<()> {
    let opened = open::existing(store).await?;
    let bar = progress::steps(out.json);
    bar.set_prefix("compacting");
    let told = bar.clone();
    let progress = Progress::to(move |done, total| {
        told.set_length(total);
        told.set_position(done);
    });
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
