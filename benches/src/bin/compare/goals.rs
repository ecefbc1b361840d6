//! The goals of the figures.

use crate::growth::{Grown, OPERATIONS as GROWTH};
use crate::operations::*;
use crate::turns::Shown;

/// A bound of a figure.
pub(crate) struct Goal {
    /// The two sides of a comparison.
    pub(crate) of: String,
    pub(crate) what: String,
    pub(crate) bound: Bound,
    pub(crate) seen: f64,
}

#[derive(Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    pub(crate) fn is_reached(&self) -> bool {
        match self.bound {
            Bound::AtMost(bound) => self.seen <= bound,
            Bound::AtLeast(bound) => self.seen >= bound,
        }
    }
}

/// Reads that the SDK has as well.
const READS: [&str; 6] = [NEWEST, DEEP, GET, RELATED, WARM, COLD];

/// All goals whose figures are there.
pub(crate) fn judge(shown: &[Shown], grown: &[Grown]) -> Vec<Goal> {
    let mut goals = Vec::new();
    let figure = |name: &str, what: &str| {
        let shown = shown.iter().find(|shown| shown.name == name)?;
        if what == SIZE { shown.size_bytes.map(|bytes| bytes as f64) } else { shown.middle(what) }
    };
    let mut add = |of: &str, by: &str, what: &str, at_most| {
        if let (Some(one), Some(other)) = (figure(of, what), figure(by, what)) {
            let bound = Bound::AtMost(at_most);
            goals.push(Goal { of: format!("{of} / {by}"), what: what.into(), bound, seen: one / other });
        }
    };
    for floor in ["floor", "rowid"] {
        for (what, at_most) in
            [(BULK, 1.15), (STRICT, 1.15), (NEWEST, 1.3), (DEEP, 1.3), (GET, 1.5), (WARM, 1.3), (SIZE, 1.05)]
        {
            add("sqlite", floor, what, at_most);
        }
    }
    for what in WRITES.iter().chain(&READS) {
        add("sqlite", "sdk", what, 1.0 / 4.0);
    }
    for what in READS {
        add("sqlite-sealed", "sdk-key", what, 1.0 / 8.0);
    }
    add("sqlite", "sdk", SIZE, 0.5);
    add("sqlite-sealed", "sdk-key", SIZE, 0.25);
    for (plain, sealed) in [("sqlite", "sqlite-sealed"), ("sled", "sled-sealed")] {
        WRITES.iter().for_each(|what| add(sealed, plain, what, 1.2));
        add(sealed, plain, NEWEST, 1.7);
        add(sealed, plain, GET, 1.3);
        add(sealed, plain, SIZE, 1.05);
    }
    for what in [BULK, IMPORT].into_iter().chain(OPERATIONS.iter().map(|(name, ..)| *name)) {
        add("sled", "raw-sled", what, 1.3);
    }
    goals.extend(beside(shown));
    goals.extend(grown.iter().flat_map(|one| growth(one, grown)));
    goals
}

/// Readers beside a writer, compared with those that share one connection.
fn beside(shown: &[Shown]) -> Vec<Goal> {
    let of = |name: &str| shown.iter().find(|shown| shown.name == name)?.beside.middle();
    let (Some(ours), Some(floor)) = (of("sqlite"), of("floor")) else { return Vec::new() };
    let goal = |of: &str, what: &str, bound, seen| Goal { of: of.into(), what: what.into(), bound, seen };
    vec![
        goal("sqlite / floor", "reads beside a writer", Bound::AtLeast(1.3), ours[0] / floor[0]),
        goal("sqlite / floor", "writes beside readers", Bound::AtLeast(3.0), ours[1] / floor[1]),
        goal("sqlite", "p99 of a page beside a writer, ms", Bound::AtMost(5.0), ours[3] / 1e3),
    ]
}

fn growth(one: &Grown, all: &[Grown]) -> Vec<Goal> {
    let floor = all.iter().find(|grown| grown.name == "floor" && grown.rooms == one.rooms);
    let (Some(first), Some(last), Some(floor)) = (one.sizes.first(), one.sizes.last(), floor) else {
        return Vec::new();
    };
    if !one.name.starts_with("sqlite") {
        return Vec::new();
    }
    let of = format!("{}, {} rooms, {} -> {}", one.name, one.rooms, first.messages, last.messages);
    let goal = |what: &str, bound, seen| Goal { of: of.clone(), what: what.into(), bound, seen };
    let mut goals = Vec::new();
    for (nth, (name, _)) in GROWTH.iter().enumerate() {
        if [NEWEST, GET, RELAXED, STRICT].contains(name) {
            goals.push(goal(name, Bound::AtMost(1.5), last.figures[nth] / first.figures[nth]));
        }
    }
    if let Some(floor) = floor.sizes.iter().find(|size| size.messages == last.messages) {
        let over = last.peak_bytes as f64 - floor.peak_bytes as f64;
        goals.push(goal("peak memory over the floor's, MiB", Bound::AtMost(16.0), over / f64::from(1 << 20)));
    }
    goals
}
