use super::backend::Backend;
use super::job::Writer;
use super::shell::Shell;
use crate::{Keyring, Progress, Report, Result};

/// What a step of a rotation came to.
#[derive(Debug)]
pub struct Step<P> {
    /// Where the next one begins; none: every row is done.
    pub next: Option<P>,
    /// Rows looked at.
    pub rows: u64,
    /// Rows sealed under the new key.
    pub resealed: u64,
    /// Rows that cannot be read.
    pub damaged: Vec<String>,
}

/// Begins a rotation, or goes on with the one that was cut off. Whoever writes meanwhile, in whatever process, seals
/// with the new key, so that one pass sees every row that is left.
pub(super) async fn rotate<B: Backend>(shell: &Shell<B>, progress: &Progress) -> Result<Report> {
    let begin = |writer: &mut B::Writer| {
        writer.change_keyring(Keyring::rotation_begun)?;
        Ok((writer.codec().keyring().map_or(0, Keyring::sealing_key), writer.sealed_rows()?))
    };
    let (sealing, mut total) = shell.call("maintain", begin).await?;
    let (mut report, mut looked, mut next) = (Report::default(), 0, None);
    loop {
        let step = shell.call("maintain", move |writer| writer.reseal(next)).await?;
        looked += step.rows;
        report.rows += step.resealed;
        step.damaged.iter().for_each(|finding| report.find(finding));
        // Rows may come meanwhile.
        total = total.max(looked);
        progress.step(looked, total);
        if step.next.is_none() {
            break;
        }
        next = step.next;
    }
    // What its own key does not open is noise under any key.
    let end = move |writer: &mut B::Writer| writer.change_keyring(|keys| keys.rotation_ended(sealing));
    shell.call("maintain", end).await?;
    progress.step(total, total);
    Ok(report)
}
