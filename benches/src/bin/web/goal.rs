use crate::figures::Measured;

/// The least factors by which Dexie is beaten: its time by ours.
const SPEED: [(&str, &str, f64); 10] = [
    ("haos", "bulk", 8.0),
    ("haos", "commits_5_rooms", 1.3),
    ("haos", "commits_1_room", 1.3),
    ("haos", "commits_of_1", 1.1),
    ("haos", "pages_20", 4.0),
    ("haos", "newest_50", 1.0),
    ("haos", "gets_in_sequence", 1.0),
    ("haos", "gets_in_parallel", 1.0),
    ("haos_sealed", "bulk", 5.0),
    ("haos", "cold", 1.0 / 0.7),
];
/// The most that a call may cost at the greatest size, by its cost at the least.
const GROWTH: f64 = 1.5;

/// A goal, and what became of it in one engine.
pub(crate) struct Goal {
    pub(crate) contender: &'static str,
    pub(crate) operation: &'static str,
    /// As it is written down.
    pub(crate) wanted: String,
    pub(crate) seen: f64,
    pub(crate) reached: bool,
}

/// Those that were measured.
pub(crate) fn judge(measured: &Measured) -> Vec<Goal> {
    let speed = SPEED.into_iter().filter_map(|(contender, operation, least)| {
        let ours = measured.median(contender, operation)?;
        let seen = measured.median("dexie", operation)? / ours;
        let wanted = format!(">= {least:.1} x Dexie's speed");
        Some(Goal { contender, operation, wanted, seen, reached: seen >= least })
    });
    let growth = measured.growth("haos").into_iter().flat_map(|(small, large)| {
        let wanted = || format!("<= {GROWTH} x its cost at {} messages", small.messages);
        let goal = |operation, seen| Goal {
            contender: "haos",
            operation,
            wanted: wanted(),
            seen,
            reached: seen <= GROWTH,
        };
        [
            goal("newest 50 at scale", large.newest_50 / small.newest_50),
            goal("commit of 5 at scale", large.commit_of_5 / small.commit_of_5),
        ]
    });
    speed.chain(growth).collect()
}
