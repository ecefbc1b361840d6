//! The figures, as the document that is kept.

use std::fmt::Write as _;

use haos_benches::measure::digits;
use haos_benches::{machine, median};
use haos_contest::Screen;

use crate::Seen;

const HEAD: &str = include_str!("head.md");
const MIB: f64 = 1024.0 * 1024.0;

/// All of it; the load is that of the beginning and of the end.
pub(crate) fn markdown(seen: &[Seen], passes: usize, load: [String; 2]) -> String {
    let mut text = HEAD.to_owned();
    let [began, ended] = load;
    let _ = write!(
        text,
        "\n## This run\n\n- Machine: {}, shared with other work: a load of {began} over the minute before it began, \
         and of {ended} when it ended.\n- {passes} processes of each by store and kind of start, after one that does \
         not count. The SDK's features: `bundled-sqlite` and `e2e-encryption`; release profile.\n- matrix-sdk-ui \
         shows {} items, whole chunks of its cache; ours the {} that are asked for.\n- Command: `cargo xtask bench \
         first-screen --write`.\n",
        machine(),
        middle(&seen[0].theirs, |screen| screen.events.len() as f64),
        crate::ITEMS,
    );
    for seen in seen {
        table(&mut text, seen);
    }
    text
}

/// The system's load: how many processes ran or waited to, over the last minute.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn table(text: &mut String, seen: &Seen) {
    let files = if seen.is_cold { "cold files" } else { "warm files" };
    let _ = write!(
        text,
        "\n## {}, {files}\n\n| | haos | matrix-sdk-ui | ratio |\n|---|---|---|---|\n",
        seen.lock.name()
    );
    let mut row = |name: &str, figure: fn(&Screen) -> f64| {
        let (ours, theirs) = (middle(&seen.ours, figure), middle(&seen.theirs, figure));
        let spread = |screens: &[Screen]| {
            let least = screens.iter().map(figure).fold(f64::INFINITY, f64::min);
            let most = screens.iter().map(figure).fold(0.0, f64::max);
            format!("{}-{}", digits(least), digits(most))
        };
        let _ = writeln!(
            text,
            "| {name} | {} ({}) | {} ({}) | **{:.3}** |",
            digits(ours),
            spread(&seen.ours),
            digits(theirs),
            spread(&seen.theirs),
            ours / theirs,
        );
    };
    row("first screen, ms", |screen| (screen.open_us + screen.rooms_us + screen.items_us) / 1e3);
    row("of it: open, ms", |screen| screen.open_us / 1e3);
    row("of it: list of rooms, ms", |screen| screen.rooms_us / 1e3);
    row("of it: items, ms", |screen| screen.items_us / 1e3);
    row("processor time, ms", |screen| screen.cpu_us / 1e3);
    row("peak memory, MiB", |screen| screen.peak_bytes as f64 / MIB);
    let [ours, theirs] = seen.sizes.map(|bytes| bytes as f64);
    let _ = writeln!(
        text,
        "| files, MiB | {} | {} | **{:.3}** |",
        digits(ours / MIB),
        digits(theirs / MIB),
        ours / theirs
    );
}

fn middle(screens: &[Screen], figure: impl Fn(&Screen) -> f64) -> f64 {
    median(&mut screens.iter().map(figure).collect::<Vec<_>>())
}
