//! The figures, as the document that is kept.

use std::fmt::Write as _;

use haos_benches::measure::digits;
use haos_benches::{machine, median};

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
         and of {ended} when it ended.\n- {passes} processes of each by store, after one that does not count; release \
         profile.\n- Command: `cargo xtask bench keys --write`.\n",
        machine(),
    );
    for seen in seen {
        page(&mut text, seen);
    }
    text
}

/// The system's load: how many processes ran or waited to, over the last minute.
pub(crate) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

fn page(text: &mut String, seen: &Seen) {
    head(text, "A page", seen, "matrix-sdk-sqlite");
    let [ours, theirs] = &seen.pages;
    let mut row = |name, figure: fn(&_) -> f64| row(text, name, ours, theirs, figure);
    row("page, store just opened, ms", |paged| paged.first_us / 1e3);
    row("page, again, ms", |paged| paged.again_us / 1e3);
    row("before it: open the store, ms", |paged| paged.open_us / 1e3);
    row("before it: make a machine, ms", |paged| paged.machine_us / 1e3);
    let [ours, theirs] = seen.sizes.map(|bytes| bytes as f64);
    let ratio = ours / theirs;
    let _ =
        writeln!(text, "| files, MiB | {} | {} | **{ratio:.3}** |", digits(ours / MIB), digits(theirs / MIB));
}

fn head(text: &mut String, what: &str, seen: &Seen, other: &str) {
    let lock = seen.lock.name();
    let _ = write!(text, "\n## {what}, {lock}\n\n| | haos | {other} | ratio |\n|---|---|---|---|\n");
}

fn row<T>(text: &mut String, name: &str, ours: &[T], theirs: &[T], figure: fn(&T) -> f64) {
    let told = |list: &[T]| {
        let mut figures: Vec<_> = list.iter().map(figure).collect();
        let middle = median(&mut figures);
        // The median has sorted them.
        (
            middle,
            format!("{} ({}-{})", digits(middle), digits(figures[0]), digits(figures[figures.len() - 1])),
        )
    };
    let ((one, ours), (other, theirs)) = (told(ours), told(theirs));
    let _ = writeln!(text, "| {name} | {ours} | {theirs} | **{:.3}** |", one / other);
}
