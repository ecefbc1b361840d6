//! The figures, as the document that is kept.

use std::fmt::Write as _;

use haos_benches::machine;

use crate::args::Args;
use crate::build::Built;
use crate::figures::{COLD, Measured, OPERATIONS};
use crate::goal::judge;

const HEAD: &str = include_str!("head.md");
/// The calls that requests are counted of.
const SINGLE: [(&str, &str); 7] = [
    ("bulk", "bulk"),
    ("commits_5_rooms", "commit of 5, over 5 rooms"),
    ("commits_1_room", "commit of 5, in one room"),
    ("commits_of_1", "commit of 1"),
    ("newest_50", "newest 50"),
    ("pages_20", "the 50 before"),
    ("gets_in_sequence", "get by id"),
];

/// All of it.
pub(crate) fn markdown(built: &Built, args: &Args, engines: &[Measured]) -> String {
    let mut text = HEAD.to_owned();
    let _ = writeln!(text, "\n## This run\n\n{}", setting(built, args, engines));
    text.push_str(&goals(engines));
    for measured in engines {
        let _ = write!(text, "\n## {} {}\n\n", title(measured.engine.name()), measured.version);
        text.push_str(&table(measured, args));
        text.push_str(&requests(measured, args));
        text.push_str(&scale(measured));
    }
    text
}

fn setting(built: &Built, args: &Args, engines: &[Measured]) -> String {
    let engines: Vec<_> =
        engines.iter().map(|m| format!("{} {}", title(m.engine.name()), m.version)).collect();
    format!(
        "- Machine: {}.\n- Engines: {}.\n- haos: release profile, {} KB of wasm as loaded, not through wasm-opt. \
         Dexie {}, {} KB of script.\n- {} messages in 10 rooms, {} rounds after one that does not count, \
         cold starts {} each.\n- Command: `cargo xtask bench web --rounds {}{} --write`.\n",
        machine(),
        engines.join(", "),
        built.wasm_bytes / 1000,
        built.dexie.0,
        built.dexie.1 / 1000,
        args.messages,
        args.rounds,
        args.rounds * 2,
        args.rounds,
        if args.scale { " --scale" } else { "" },
    )
}

fn goals(engines: &[Measured]) -> String {
    let mut text = "\n## Goals\n\nSpeed is Dexie's median time by ours; growth is our cost at the greatest \
                    size by that at the least.\n\n| engine | goal | wanted | seen | |\n|---|---|---|---|---|\n"
        .to_owned();
    for measured in engines {
        for goal in judge(measured) {
            let _ = writeln!(
                text,
                "| {} | {}: {} | {} | {:.2} | {} |",
                title(measured.engine.name()),
                column(goal.contender),
                name(goal.operation),
                goal.wanted,
                goal.seen,
                if goal.reached { "reached" } else { "**not reached**" },
            );
        }
    }
    text
}

/// Medians in milliseconds, least and most below them, and the speed by Dexie's.
fn table(measured: &Measured, args: &Args) -> String {
    let mut text = String::from("| ms |");
    let columns: Vec<_> = args.contenders.iter().map(|contender| column(contender)).collect();
    let _ = writeln!(text, " {} |\n|---|{}", columns.join(" | "), "---|".repeat(columns.len()));
    for (operation, name) in OPERATIONS.into_iter().chain([COLD]) {
        let _ = write!(text, "| {name} |");
        let dexie = measured.median("dexie", operation);
        for &contender in &args.contenders {
            let Some([median, least, most]) = measured.spread(contender, operation) else {
                text.push_str(" |");
                continue;
            };
            let _ = write!(text, " {} ({}-{})", figure(median), figure(least), figure(most));
            if let (Some(dexie), false) = (dexie, contender == "dexie") {
                let _ = write!(text, " **{:.2}x**", dexie / median);
            }
            text.push_str(" |");
        }
        text.push('\n');
    }
    for (contender, wrong) in measured.wrong.iter().filter(|(_, wrong)| **wrong > 0) {
        let _ = writeln!(
            text,
            "\n{} gave {wrong} messages a round that were not those asked for.",
            column(contender)
        );
    }
    text
}

/// The counts that no load on the machine changes.
fn requests(measured: &Measured, args: &Args) -> String {
    let columns: Vec<_> = args.contenders.iter().map(|contender| column(contender)).collect();
    let mut text = format!(
        "\n| requests a call, and the longest chain of them | {} |\n|---|{}\n",
        columns.join(" | "),
        "---|".repeat(columns.len())
    );
    for (operation, name) in SINGLE {
        let _ = write!(text, "| {name} |");
        for &contender in &args.contenders {
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
    let mut text =
        "\n| single calls, median ms | messages | newest 50 | commit of 5 |\n|---|---|---|---|\n".to_owned();
    for scaled in &measured.scale {
        let (page, commit) = (figure(scaled.newest_50), figure(scaled.commit_of_5));
        let _ = writeln!(text, "| {} | {} | {page} | {commit} |", column(scaled.contender), scaled.messages);
    }
    text
}

fn name(operation: &'static str) -> &'static str {
    let known = OPERATIONS.into_iter().chain([COLD]).find(|(key, _)| *key == operation);
    known.map_or(operation, |(_, name)| name)
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
