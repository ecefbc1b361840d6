//! The figures, as the document that is kept.

use std::fmt::Write as _;

use haos_benches::machine;
use haos_benches::measure::digits;

use crate::Args;
use crate::features::Feature;
use crate::goals::{Bound, judge};
use crate::growth::{Grown, OPERATIONS as GROWTH, PASSES};
use crate::operations::{BULK, IMPORT, OPERATIONS};
use crate::plot;
use crate::turns::{Scale, Shown};

const HEAD: &str = include_str!("head.md");
const FLOOR: &str = "floor";

/// All of it.
pub(crate) fn markdown(args: &Args, shown: &[Shown], features: &[Feature], grown: &[Grown]) -> String {
    let mut text = HEAD.to_owned();
    let scale = Scale::of(args.quick);
    let _ = write!(
        text,
        "\n## This run\n\n- Machine: {}.\n- {} messages in {} rooms; {} passes over bulk, import, 50 MiB and readers \
         beside a writer, {} over everything else.\n- {}\n- Command: `{}`.\n",
        machine(),
        scale.messages,
        scale.rooms,
        scale.fills,
        scale.passes,
        versions(),
        args.command(),
    );
    table(&mut text, shown);
    beside(&mut text, shown);
    feature_table(&mut text, features);
    growth(&mut text, grown);
    goals(&mut text, shown, grown);
    text
}

/// Of the libraries, as the lockfiles have them.
fn versions() -> String {
    let ours = include_str!("../../../../Cargo.lock");
    let rivals = include_str!("../../../rivals/Cargo.lock");
    let version = |lock: &str, name: &str| {
        let at = lock.find(&format!("name = \"{name}\"")).unwrap();
        lock[at..].split('"').nth(3).unwrap().to_owned()
    };
    let of = |lock, names: &[&str]| {
        names.iter().map(|name| format!("{name} {}", version(lock, name))).collect::<Vec<_>>().join(", ")
    };
    let ours = of(ours, &["haos-store-sqlite", "rusqlite", "libsqlite3-sys", "sled", "redb"]);
    let sqlite = rusqlite::version();
    let peers = of(rivals, &["matrix-sdk-sqlite", "libsqlite3-sys"]);
    format!("Ours: {ours}, SQLite {sqlite}. Peers: {peers}. Release profile.")
}

fn table(text: &mut String, shown: &[Shown]) {
    let names: Vec<_> = shown.iter().map(|shown| shown.name).collect();
    text.push_str(
        "\n## Operations\n\nMicroseconds a call; the ratio to the floor in bold, below 1 is faster.\n\n",
    );
    let _ = write!(text, "| | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    let floor = shown.iter().find(|shown| shown.name == FLOOR);
    for what in [BULK, IMPORT].into_iter().chain(OPERATIONS.iter().map(|(name, ..)| *name)) {
        if shown.iter().all(|shown| shown.middle(what).is_none()) {
            continue;
        }
        let _ = write!(text, "| {what} |");
        let base = floor.and_then(|floor| floor.middle(what));
        for shown in shown {
            let Some(value) = shown.middle(what) else {
                text.push_str(" - |");
                continue;
            };
            let passes = &shown.figures[what];
            let least = passes.iter().copied().fold(f64::INFINITY, f64::min);
            let most = passes.iter().copied().fold(0.0, f64::max);
            let _ = write!(text, " {} ({}-{})", digits(value), digits(least), digits(most));
            if let (Some(base), true) = (base, shown.name != FLOOR) {
                let _ = write!(text, " **{:.2}**", value / base);
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    let cells = |of: &dyn Fn(&Shown) -> Option<u64>| {
        let cell = |shown| of(shown).map_or("-".to_owned(), mib);
        shown.iter().map(cell).collect::<Vec<_>>().join(" | ")
    };
    let _ = writeln!(text, "| files after the bulk, MiB | {} |", cells(&|shown| shown.size_bytes));
    let _ = writeln!(text, "| peak memory, MiB | {} |", cells(&|shown| Some(shown.peak_bytes)));
}

fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn beside(text: &mut String, shown: &[Shown]) {
    text.push_str(
        "\n## Eight readers beside a busy writer\n\nPages of 50 and commits a second; how long a page takes, in us.\n\n\
         | | pages/s | commits/s | p50 | p99 | p99.9 |\n|---|---|---|---|---|---|\n",
    );
    for shown in shown {
        if let Some(middle) = shown.beside.middle() {
            let cells = middle.map(digits).join(" | ");
            let _ = writeln!(text, "| {} | {cells} |", shown.name);
        }
    }
}

fn feature_table(text: &mut String, features: &[Feature]) {
    text.push_str(
        "\n## What a feature costs\n\nPart of an operation of haos-store-sqlite, with it and without it, in us.\n\n\
         | feature | part of | with | without | ratio |\n|---|---|---|---|---|\n",
    );
    for Feature { name, part_of, with_us, without_us } in features {
        let (with, without) = (digits(*with_us), digits(*without_us));
        let _ = writeln!(text, "| {name} | {part_of} | {with} | {without} | {:.2} |", with_us / without_us);
    }
}

fn growth(text: &mut String, grown: &[Grown]) {
    if grown.is_empty() {
        return;
    }
    let names: Vec<_> = GROWTH.iter().map(|(name, _)| *name).collect();
    let _ = write!(
        text,
        "\n## Growth\n\nMedians of {PASSES} passes, in us.\n\n| store | rooms | messages | {} | files, MiB | peak memory, \
         MiB |\n|---|---|---|---|---|{}\n",
        names.join(" | "),
        "---|".repeat(names.len()),
    );
    for grown in grown {
        for size in &grown.sizes {
            let figures: Vec<_> = size.figures.iter().map(|us| digits(*us)).collect();
            let (figures, files, peak) = (figures.join(" | "), mib(size.file_bytes), mib(size.peak_bytes));
            let (name, rooms, messages) = (grown.name, grown.rooms, size.messages);
            let _ = writeln!(text, "| {name} | {rooms} | {messages} | {figures} | {files} | {peak} |");
        }
    }
    text.push('\n');
    for name in names {
        let _ = writeln!(text, "![{name}](benchmarks/{})", plot::file(name));
    }
}

fn goals(text: &mut String, shown: &[Shown], grown: &[Grown]) {
    text.push_str("\n## Goals\n\nCost by cost, unless it says otherwise.\n\n| of | what | wanted | seen | |\n|---|---|---|---|---|\n");
    for goal in judge(shown, grown) {
        let reached = if goal.is_reached() { "reached" } else { "**not reached**" };
        let bound = match goal.bound {
            Bound::AtMost(bound) => format!("<= {bound}"),
            Bound::AtLeast(bound) => format!(">= {bound}"),
        };
        let _ = writeln!(text, "| {} | {} | {bound} | {:.3} | {reached} |", goal.of, goal.what, goal.seen);
    }
}
