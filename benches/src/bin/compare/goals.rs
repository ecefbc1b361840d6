//! What the figures are to reach.

use crate::{BULK, Figures, Shown, median};

/// The cost of one by that of another, at most so much.
pub(crate) struct Goal {
    pub(crate) of: &'static str,
    pub(crate) by: &'static str,
    pub(crate) what: &'static str,
    pub(crate) at_most: f64,
    pub(crate) seen: f64,
}

const SIZE: &str = "size of the files";
const STRICT: &str = "sync commit, Strict";
const READS: [&str; 5] =
    ["newest 50", "50 deep in the room", "get by id", "what relates to one", "restart + newest 50"];
const BOTH_DO: [&str; 9] = [
    BULK,
    "sync commit, Relaxed",
    STRICT,
    "newest 50",
    "50 deep in the room",
    "get by id",
    "what relates to one",
    "enqueue + sent",
    "restart + newest 50",
];

/// All goals whose figures are there.
pub(crate) fn judge(shown: &[Shown]) -> Vec<Goal> {
    let mut goals = Vec::new();
    let mut add = |of, by, what, at_most| {
        if let (Some(one), Some(other)) = (figure(shown, of, what), figure(shown, by, what)) {
            goals.push(Goal { of, by, what, at_most, seen: one / other });
        }
    };
    for (what, at_most) in [
        (BULK, 1.15),
        (STRICT, 1.15),
        ("newest 50", 1.3),
        ("50 deep in the room", 1.3),
        ("get by id", 1.5),
        ("restart + newest 50", 1.3),
        (SIZE, 1.05),
    ] {
        add("sqlite", "floor", what, at_most);
    }
    for what in BOTH_DO {
        add("sqlite", "sdk", what, 1.0 / 4.0);
    }
    for what in READS {
        add("sqlite-sealed", "sdk-key", what, 1.0 / 8.0);
    }
    add("sqlite", "sdk", SIZE, 0.5);
    add("sqlite-sealed", "sdk-key", SIZE, 0.25);
    for (plain, sealed) in [("sqlite", "sqlite-sealed"), ("sled", "sled-sealed")] {
        for what in [BULK, "sync commit, Relaxed", STRICT, "enqueue + sent"] {
            add(sealed, plain, what, 1.2);
        }
        add(sealed, plain, "newest 50", 1.7);
        add(sealed, plain, "get by id", 1.3);
        add(sealed, plain, SIZE, 1.05);
    }
    goals
}

fn figure(shown: &[Shown], name: &str, what: &str) -> Option<f64> {
    let shown = shown.iter().find(|shown| shown.name == name)?;
    match what {
        SIZE => Some(shown.size_bytes as f64),
        _ => middle(&shown.figures, what),
    }
}

/// The median of the passes.
pub(crate) fn middle(figures: &Figures, what: &str) -> Option<f64> {
    figures.get(what).map(|passes| median(&mut passes.clone()))
}
