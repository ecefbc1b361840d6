use super::backend::Backend;
use super::job::Writer;
use super::shell::Shell;
use crate::{Keyring, Progress, Report, Result};

/// Begins a rotation, or resumes the one that was interrupted. Writers of every process seal with the new key
/// meanwhile, so that one pass sees all remaining rows.
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
    // A row that its own key does not open is noise under any key.
    let end = move |writer: &mut B::Writer| writer.change_keyring(|keys| keys.rotation_ended(sealing));
    shell.call("maintain", end).await?;
    progress.step(total, total);
    Ok(report)
}
