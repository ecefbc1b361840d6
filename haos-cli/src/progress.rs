//! A progress bar on stderr, where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over bytes; hidden if `quiet` or if stderr is no terminal.
pub(crate) fn bytes(total: u64, quiet: bool) -> ProgressBar {
    bar(total, quiet, "{prefix} [{bar:30}] {bytes}/{total_bytes} {msg}")
}

/// A bar over a chore's own unit.
pub(crate) fn steps(quiet: bool) -> ProgressBar {
    bar(0, quiet, "{prefix} [{bar:30}] {percent}%")
}

fn bar(total: u64, quiet: bool, template: &str) -> ProgressBar {
    // stderr as a target hides itself where it is no terminal.
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(total), target).with_style(style)
}
