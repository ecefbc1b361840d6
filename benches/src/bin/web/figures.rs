use std::collections::BTreeMap;

use haos_e2e::browser::BrowserEngine;

/// The operations that are timed in each round, and their names.
pub(crate) const OPERATIONS: [(&str, &str); 8] = [
    ("bulk", "bulk, one commit"),
    ("commits_5_rooms", "200 commits of 5, over 5 rooms"),
    ("commits_1_room", "200 commits of 5, in one room"),
    ("commits_of_1", "200 commits of 1"),
    ("newest_50", "newest 50"),
    ("pages_20", "20 pages of 50, going back"),
    ("gets_in_sequence", "1000 gets by id, in sequence"),
    ("gets_in_parallel", "1000 gets by id, at once"),
];
/// Measured on a page of its own.
pub(crate) const COLD: (&str, &str) = ("cold", "cold start + newest 50");

/// The figures of an engine.
pub(crate) struct Measured {
    pub(crate) engine: BrowserEngine,
    pub(crate) version: String,
    /// Times in milliseconds, by contender and operation.
    pub(crate) times: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    /// How many messages a contender gave that were not those asked for, in one round.
    pub(crate) wrong: BTreeMap<&'static str, u64>,
    /// Requests of one call, and the longest chain of them that waited for one another, by contender and operation.
    pub(crate) requests: BTreeMap<(&'static str, &'static str), (u64, u64)>,
    pub(crate) scale: Vec<Scaled>,
}

/// Single calls at a size.
pub(crate) struct Scaled {
    pub(crate) contender: &'static str,
    pub(crate) messages: u64,
    pub(crate) newest_50: f64,
    pub(crate) commit_of_5: f64,
}

impl Measured {
    pub(crate) fn new(engine: BrowserEngine, version: &str) -> Self {
        let version = version.to_owned();
        Self {
            engine,
            version,
            times: BTreeMap::new(),
            wrong: BTreeMap::new(),
            requests: BTreeMap::new(),
            scale: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, contender: &'static str, operation: &'static str, ms: f64) {
        self.times.entry((contender, operation)).or_default().push(ms);
    }

    /// Median, least and most.
    pub(crate) fn spread(&self, contender: &'static str, operation: &'static str) -> Option<[f64; 3]> {
        let mut times = self.times.get(&(contender, operation))?.clone();
        times.sort_by(f64::total_cmp);
        Some([times[times.len() / 2], *times.first()?, *times.last()?])
    }

    pub(crate) fn median(&self, contender: &'static str, operation: &'static str) -> Option<f64> {
        self.spread(contender, operation).map(|[median, ..]| median)
    }

    /// A contender's figures at the least and the greatest size.
    pub(crate) fn growth(&self, contender: &str) -> Option<(&Scaled, &Scaled)> {
        let mut of = self.scale.iter().filter(|scaled| scaled.contender == contender);
        Some((of.next()?, of.next_back()?))
    }
}
