//! The figures, as the document that is kept.

use std::fmt::Write as _;

use haos_benches::machine;

use crate::args::Args;
use crate::build::Built;
use crate::figures::{COLD, KEPT, MIXED, Measured, Named, OPERATIONS, SCALED};
use crate::goal::judge;

const HEAD: &str = include_str!("head.md");
/// The calls that requests are counted of.
const SINGLE: [Named; 10] = [
    ("bulk", "bulk"),
    ("commits_5_rooms", "commit of 5, over 5 rooms"),
    ("commits_1_room", "commit of 5, in one room"),
    ("commits_of_1", "commit of 1"),
    ("newest_50", "newest 50"),
    ("pages_20", "the 50 before"),
    ("gets_in_sequence", "get by id"),
    ("edits", "edit"),
    ("redactions", "redaction"),
    ("late", "late message"),
];

/// All of it.
pub(crate) fn markdown(built: &Built, args: &Args, engines: &[Measured]) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\n## This run\n\n{}", setting(built, args, engines));
    text.push_str(&goals(engines));
    for measured in engines {
        let _ = write!(text, "\n## {} {}\n\n", title(measured.engine.name()), measured.version);
        text.push_str(&missing(measured));
        text.push_str(&times(measured));
        text.push_str(&mixed(measured));
        text.push_str(&requests(measured));
        text.push_str(&scale(measured));
    }
    text
}

fn setting(built: &Built, args: &Args, engines: &[Measured]) -> String {
    let engines: Vec<_> =
        engines.iter().map(|m| format!("{} {}", title(m.engine.name()), m.version)).collect();
    format!(
        "- Machine: {}.\n- Engines: {}.\n- haos: profile `web`, {} KB of wasm as loaded for a first page, {} KB after it. \
         Dexie {}, {} KB of script. SQLite {}, {} KB of script and wasm.\n\
         - {} messages in 10 rooms, {} rounds after one that does not count, \
         cold starts {} each.\n- Command: `cargo xtask bench web --rounds {}{} --write`.\n",
        machine(),
        engines.join(", "),
        built.halves_bytes().0 / 1000,
        built.halves_bytes().1 / 1000,
        built.dexie.version,
        built.dexie.bytes / 1000,
        built.sqlite.version,
        built.sqlite.bytes / 1000,
        args.messages,
        args.rounds,
        args.rounds * 2,
        args.rounds,
        if args.scale { " --scale" } else { "" },
    )
}

fn goals(engines: &[Measured]) -> String {
    let mut text = "\n## Goals\n\nSpeed is Dexie's median time by ours, and the plain store's by the sealed \
                    one's; growth is our cost at the greatest size by that at the least.\n\n\
                    | engine | goal | wanted | seen | |\n|---|---|---|---|---|\n"
        .to_owned();
    for measured in engines {
        for goal in judge(measured) {
            let _ = writeln!(
                text,
                "| {} | {}: {} | {} | {:.2} | {} |",
                title(measured.engine.name()),
                column(goal.contender),
                goal.name,
                goal.wanted,
                goal.seen,
                if goal.reached { "reached" } else { "**not reached**" },
            );
        }
    }
    text
}

fn missing(measured: &Measured) -> String {
    let lines = measured.missing.iter();
    lines.map(|(contender, why)| format!("{} cannot be had here: {why}\n\n", column(contender))).collect()
}

/// The first line of a table with a column for each contender.
fn columns(measured: &Measured, what: &str) -> String {
    let columns: Vec<_> = measured.contenders.iter().map(|contender| column(contender)).collect();
    format!("| {what} | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// Medians, with least and most behind them, and how many times as good as Dexie's.
fn table(measured: &Measured, what: &str, rows: &[Named], better: impl Fn(f64, f64) -> f64) -> String {
    let mut text = columns(measured, what);
    for &(key, name) in rows {
        let _ = write!(text, "| {name} |");
        let dexie = measured.median("dexie", key);
        for &contender in &measured.contenders {
            let Some([median, least, most]) = measured.spread(contender, key) else {
                text.push_str(" |");
                continue;
            };
            let _ = write!(text, " {} ({}-{})", figure(median), figure(least), figure(most));
            if let (Some(dexie), false) = (dexie, contender == "dexie") {
                let _ = write!(text, " **{:.2}x**", better(dexie, median));
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    text
}

fn times(measured: &Measured) -> String {
    let rows: Vec<_> = OPERATIONS.into_iter().chain([COLD, KEPT]).collect();
    let mut text = table(measured, "ms", &rows, |dexie, ms| dexie / ms);
    for (contender, wrong) in measured.wrong.iter().filter(|(_, wrong)| **wrong > 0) {
        let _ = writeln!(
            text,
            "\n{} gave {wrong} messages a round that were not those asked for.",
            column(contender)
        );
    }
    text
}

fn mixed(measured: &Measured) -> String {
    format!("\n{}", table(measured, "a second", &MIXED, |dexie, calls| calls / dexie))
}

/// The counts that no load on the machine changes.
fn requests(measured: &Measured) -> String {
    let mut text = format!("\n{}", columns(measured, "requests a call, and the longest chain of them"));
    for (operation, name) in SINGLE {
        let _ = write!(text, "| {name} |");
        for &contender in &measured.contenders {
            let seen = measured.requests.get(&(contender, operation));
            let _ = write!(text, " {} |", seen.map_or_else(String::new, |(t, r)| format!("{t} / {r}")));
        }
        text.push('\n');
    }
    text
}

fn scale(measured: &Measured) -> String {
    if measured.scale.is_empty() {
        return String::new();
    }
    let names: Vec<_> = SCALED.into_iter().map(|(_, name)| name).collect();
    let mut text = format!(
        "\n| single calls, median ms | messages | {} | memory |\n|---|---|{}---|\n",
        names.join(" | "),
        "---|".repeat(names.len())
    );
    for scaled in &measured.scale {
        let ms: Vec<_> = scaled.ms.into_iter().map(figure).collect();
        let largest =
            measured.growth(scaled.contender).is_some_and(|(_, large)| large.messages == scaled.messages);
        let memory = measured.memory.get(scaled.contender).filter(|_| largest);
        let memory = memory.map_or_else(String::new, |bytes| format!("{} KiB", bytes / 1024));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {memory} |",
            column(scaled.contender),
            scaled.messages,
            ms.join(" | ")
        );
    }
    text
}

fn title(engine: &str) -> &str {
    match engine {
        "chromium" => "Chromium",
        "firefox" => "Firefox",
        "webkit" => "WebKitGTK",
        other => other,
    }
}

fn column(contender: &str) -> &str {
    match contender {
        "haos_sealed" => "haos, sealed",
        "raw" => "raw IndexedDB",
        "raw_log" => "raw log",
        "opfs" => "SQLite over OPFS",
        "dexie" => "Dexie",
        "dexie_rooms" => "Dexie, with rooms",
        "dexie_seed" => "Dexie, first sketch",
        other => other,
    }
}

/// Three digits that say something.
fn figure(ms: f64) -> String {
    match ms {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.2}"),
    }
}
