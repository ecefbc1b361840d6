//! What was measured, as the document that is kept.

use std::fmt::Write as _;

use crate::args::Args;
use crate::goals::{judge, middle};
use crate::{BULK, OPERATIONS, Shown};

const HEAD: &str = include_str!("head.md");

/// All of it.
pub(crate) fn markdown(args: &Args, shown: &[Shown]) -> String {
    let mut text = HEAD.to_owned();
    let _ = write!(
        text,
        "\n## This run\n\n- Machine: {}.\n- {} messages in {} rooms; {} passes over the bulk, {} over everything else.\n\
         - Command: `cargo xtask bench{}{} --write`.\n",
        machine(),
        args.messages,
        args.rooms,
        args.fills,
        args.passes,
        if args.quick { " --quick" } else { "" },
        if shown.iter().any(|shown| shown.name == "sdk") { " --peers" } else { "" },
    );
    table(&mut text, shown);
    goals(&mut text, shown);
    text
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |line| line.trim_start_matches(['\t', ':', ' ']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

fn table(text: &mut String, shown: &[Shown]) {
    let names: Vec<_> = shown.iter().map(|shown| shown.name).collect();
    let _ = write!(text, "\n| us | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let floor = shown.iter().find(|shown| shown.name == "floor");
    for what in [BULK].into_iter().chain(OPERATIONS.iter().map(|(name, _)| *name)) {
        let _ = write!(text, "| {what} |");
        let base = floor.and_then(|floor| middle(&floor.figures, what));
        for shown in shown {
            let Some(value) = middle(&shown.figures, what) else {
                text.push_str(" - |");
                continue;
            };
            let passes = &shown.figures[what];
            let least = passes.iter().copied().fold(f64::INFINITY, f64::min);
            let most = passes.iter().copied().fold(0.0, f64::max);
            let _ = write!(text, " {} ({}-{})", digits(value), digits(least), digits(most));
            if let (Some(base), true) = (base, shown.name != "floor") {
                let _ = write!(text, " **{:.2}**", value / base);
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let row = |name: &str, of: &dyn Fn(&Shown) -> f64| {
        let cells: Vec<_> = shown.iter().map(|shown| format!("{:.1}", of(shown))).collect();
        format!("| {name} | {} |\n", cells.join(" | "))
    };
    text.push_str(&row("files, MiB", &|shown| mib(shown.size_bytes)));
    text.push_str(&row("peak memory, MiB", &|shown| mib(shown.peak_bytes)));
}

fn goals(text: &mut String, shown: &[Shown]) {
    text.push_str("\n## Goals\n\nThe cost of the first by that of the second.\n\n");
    text.push_str("| of | by | what | at most | seen | |\n|---|---|---|---|---|---|\n");
    for goal in judge(shown) {
        let reached = if goal.seen <= goal.at_most { "reached" } else { "**not reached**" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {:.3} | {:.3} | {reached} |",
            goal.of, goal.by, goal.what, goal.at_most, goal.seen
        );
    }
}

/// Three digits that say something.
fn digits(us: f64) -> String {
    match us {
        us if us >= 100.0 => format!("{us:.0}"),
        us if us >= 10.0 => format!("{us:.1}"),
        us => format!("{us:.2}"),
    }
}
