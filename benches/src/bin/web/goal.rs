use crate::figures::{COLD, KEPT, Measured, OPERATIONS, SCALED};

/// The least factors by which Dexie is beaten: its time by ours.
const SPEED: [(&str, f64); 16] = [
    ("bulk", 8.0),
    ("bulk_folded", 6.0),
    ("commits_5_rooms", 2.2),
    ("commits_1_room", 2.5),
    ("commits_of_1", 1.5),
    ("newest_50", 2.0),
    ("pages_20", 3.0),
    ("pages_again", 8.0),
    ("gets_in_sequence", 1.3),
    ("gets_again", 3.0),
    ("gets_at_once", 1.5),
    ("edits", 1.5),
    ("redactions", 1.5),
    ("late", 1.5),
    ("cold", 1.3),
    ("cold_kept", 3.0),
];
/// What a sealed store keeps of the plain one's speed, and where.
const SEALED: f64 = 0.8;
const SEALED_IN: [&str; 8] = [
    "bulk",
    "bulk_folded",
    "commits_5_rooms",
    "commits_1_room",
    "commits_of_1",
    "newest_50",
    "pages_20",
    "pages_again",
];
/// The most that a call may cost at the greatest size, by its cost at the least.
const GROWTH: f64 = 1.5;
/// The most by which the module's memory may grow at the greatest size.
const MEMORY_MIB: f64 = 12.0;

/// A goal, and what became of it in one engine.
pub(crate) struct Goal {
    pub(crate) contender: &'static str,
    pub(crate) name: String,
    /// As it is written down.
    pub(crate) wanted: String,
    pub(crate) seen: f64,
    pub(crate) reached: bool,
}

/// Those that were measured.
pub(crate) fn judge(measured: &Measured) -> Vec<Goal> {
    let speed = SPEED.into_iter().filter_map(|(operation, least)| {
        let seen = measured.median("dexie", operation)? / measured.median("haos", operation)?;
        Some(at_least("haos", operation, least, "Dexie's speed", seen))
    });
    let sealed = SEALED_IN.into_iter().filter_map(|operation| {
        let seen = measured.median("haos", operation)? / measured.median("haos_sealed", operation)?;
        Some(at_least("haos_sealed", operation, SEALED, "haos' speed", seen))
    });
    speed.chain(sealed).chain(growth(measured)).collect()
}

fn at_least(contender: &'static str, operation: &str, least: f64, whose: &str, seen: f64) -> Goal {
    let known = OPERATIONS.into_iter().chain([COLD, KEPT]).find(|(key, _)| *key == operation);
    let name = known.map_or(operation, |(_, name)| name).to_owned();
    Goal { contender, name, wanted: format!(">= {least:.1} x {whose}"), seen, reached: seen >= least }
}

fn growth(measured: &Measured) -> Vec<Goal> {
    let mut goals = Vec::new();
    for contender in ["haos", "haos_sealed"] {
        if let Some((small, large)) = measured.growth(contender) {
            goals.extend(SCALED.iter().zip(small.ms.iter().zip(large.ms)).map(
                |((_, name), (small_ms, large_ms))| {
                    let seen = large_ms / small_ms;
                    let name = format!("{name}, with {} messages", large.messages);
                    let wanted = format!("<= {GROWTH} x its cost with {}", small.messages);
                    Goal { contender, name, wanted, seen, reached: seen <= GROWTH }
                },
            ));
        }
        if let Some(bytes) = measured.memory.get(contender) {
            let seen = *bytes as f64 / f64::from(1 << 20);
            let name = "growth of the module's memory at the greatest size".to_owned();
            let wanted = format!("<= {MEMORY_MIB:.0} MiB");
            goals.push(Goal { contender, name, wanted, seen, reached: seen <= MEMORY_MIB });
        }
    }
    goals
}
