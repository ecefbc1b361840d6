//! `haos rotate`: every row under a new data key.

use std::io::Write as _;

use haos_store::Maintenance;
use serde::Serialize;

use super::sealed;
use crate::args::StoreArg;
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::progress;
use crate::text::plural;

#[derive(Serialize)]
struct Rotated {
    rows: u64,
    findings: Vec<String>,
    more_findings: u64,
}

/// Rotates the data key, or goes on with a rotation that was cut off.
pub(crate) async fn rotate(target: Target, args: &StoreArg, out: &mut Out) -> Result<()> {
    let target = target.at(args);
    let (opened, _) = sealed(&target).await?;
    let rotate = async |progress| opened.store.maintain(Maintenance::Rotate, progress).await;
    let report = progress::chore("rotating", out.json, rotate).await?;
    opened.store.close().await?;
    let done = Rotated { rows: report.rows, findings: report.findings, more_findings: report.more_findings };
    let rows = plural(done.rows, "row");
    out.tell(&done, |out| Ok(writeln!(out, "{rows} under a new data key")?))?;
    if done.findings.is_empty() {
        return Ok(());
    }
    Err(Error::Unhealthy(format!(
        "{} cannot be read, and no key that is left opens them: run `haos doctor --check`",
        plural(done.findings.len() as u64 + done.more_findings, "row")
    )))
}
