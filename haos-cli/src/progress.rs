//! A progress bar on stderr, where that is a terminal.

use haos_store::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over bytes; hidden if `quiet` or if stderr is no terminal.
pub(crate) fn bytes(total: u64, quiet: bool) -> ProgressBar {
    bar(total, quiet, "{prefix} [{bar:30}] {bytes}/{total_bytes} {msg}")
}

/// A count without an end.
pub(crate) fn counter(name: &'static str, quiet: bool) -> ProgressBar {
    bar(0, quiet, "{prefix} {human_pos} {msg}").with_prefix(name)
}

/// A line that changes, at the bottom.
pub(crate) fn line() -> ProgressBar {
    bar(0, false, "{msg}")
}

/// A bar of a chore, and where the chore tells how far it is.
pub(crate) fn chore(name: &'static str, quiet: bool) -> (ProgressBar, Progress) {
    let bar = bar(0, quiet, "{prefix} [{bar:30}] {percent}%").with_prefix(name);
    let told = bar.clone();
    let progress = Progress::to(move |done, total| {
        told.set_length(total);
        told.set_position(done);
    });
    (bar, progress)
}

fn bar(total: u64, quiet: bool, template: &str) -> ProgressBar {
    // stderr as a target hides itself where it is no terminal.
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
}
