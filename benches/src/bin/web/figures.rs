use std::collections::BTreeMap;

use haos_e2e::browser::BrowserEngine;

/// A key of a figure, and its name.
pub(crate) type Named = (&'static str, &'static str);

/// The operations that are timed in each round.
pub(crate) const OPERATIONS: [Named; 16] = [
    ("bulk", "bulk, one commit"),
    ("bulk_folded", "bulk, one commit, and folded"),
    ("commits_5_rooms", "200 commits of 5, over 5 rooms"),
    ("commits_1_room", "200 commits of 5, in one room"),
    ("commits_of_1", "200 commits of 1"),
    ("newest_50", "newest 50"),
    ("pages_20", "20 pages of 50, going back"),
    ("pages_again", "the same 20 pages once more"),
    ("gets_in_sequence", "1000 gets by id, in sequence"),
    ("gets_again", "the same 1000 gets once more"),
    ("gets_at_once", "1000 gets by id, at once"),
    ("edits", "200 edits, a commit each"),
    ("redactions", "200 redactions, a commit each"),
    ("late", "200 late messages, a commit each"),
    ("pages_shown", "20 pages of 50 as shown, going back"),
    ("writes_folded", "the 1200 commits above, and folded"),
];
/// Measured on a page of its own.
pub(crate) const COLD: Named = ("cold", "cold start + newest 50");
/// The same by what the store kept for it.
pub(crate) const KEPT: Named = ("cold_kept", "cold start by what was kept for it");
/// Calls a second, of a reader and a writer beside each other.
pub(crate) const MIXED: [Named; 2] = [
    ("mixed_pages", "pages of 50 beside a busy writer"),
    ("mixed_commits", "commits of 5 beside a busy reader"),
];
/// The single calls at each size.
pub(crate) const SCALED: [Named; 4] = [
    ("newest_50", "newest 50"),
    ("older_50", "the 50 before"),
    ("get", "get by id"),
    ("commit_of_5", "commit of 5"),
];

/// The figures of an engine.
pub(crate) struct Measured {
    pub(crate) engine: BrowserEngine,
    pub(crate) version: String,
    /// Those of the contenders that can be had here.
    pub(crate) contenders: Vec<&'static str>,
    /// The others, and why.
    pub(crate) missing: Vec<(&'static str, String)>,
    /// Times in milliseconds and calls a second, by contender and key.
    samples: BTreeMap<(&'static str, &'static str), Vec<f64>>,
    /// Messages of a round that were not those asked for.
    pub(crate) wrong: BTreeMap<&'static str, u64>,
    /// Requests of an operation, and the longest chain of them.
    pub(crate) requests: BTreeMap<(&'static str, &'static str), (u64, u64)>,
    pub(crate) scale: Vec<Scaled>,
    /// Bytes by which a module's memory grew at the greatest size.
    pub(crate) memory: BTreeMap<&'static str, u64>,
}

/// Single calls at a size.
pub(crate) struct Scaled {
    pub(crate) contender: &'static str,
    pub(crate) messages: u64,
    /// Medians in milliseconds, in the order of [`SCALED`].
    pub(crate) ms: [f64; SCALED.len()],
}

impl Measured {
    pub(crate) fn new(engine: BrowserEngine, version: &str) -> Self {
        Self {
            engine,
            version: version.to_owned(),
            contenders: Vec::new(),
            missing: Vec::new(),
            samples: BTreeMap::new(),
            wrong: BTreeMap::new(),
            requests: BTreeMap::new(),
            scale: Vec::new(),
            memory: BTreeMap::new(),
        }
    }

    pub(crate) fn add(&mut self, contender: &'static str, key: &'static str, value: f64) {
        self.samples.entry((contender, key)).or_default().push(value);
    }

    /// Median, least and most.
    pub(crate) fn spread(&self, contender: &'static str, key: &'static str) -> Option<[f64; 3]> {
        let mut samples = self.samples.get(&(contender, key))?.clone();
        samples.sort_by(f64::total_cmp);
        Some([samples[samples.len() / 2], *samples.first()?, *samples.last()?])
    }

    pub(crate) fn median(&self, contender: &'static str, key: &'static str) -> Option<f64> {
        self.spread(contender, key).map(|[median, ..]| median)
    }

    /// A contender's figures at the least and the greatest size.
    pub(crate) fn growth(&self, contender: &str) -> Option<(&Scaled, &Scaled)> {
        let mut of = self.scale.iter().filter(|scaled| scaled.contender == contender);
        Some((of.next()?, of.next_back()?))
    }
}
