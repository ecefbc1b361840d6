//! The contest: every contender does the same, pass by pass, in turns.

use std::collections::BTreeMap;
use std::time::Instant;

use haos_benches::{at_share, median};
use haos_contest::Order;

use crate::Contender;
use crate::operations::{BULK, IMPORT, OPERATIONS};
use crate::rival::Rival;

/// How much of it.
pub(crate) struct Scale {
    pub(crate) messages: usize,
    pub(crate) rooms: usize,
    /// Passes over the bulk, and over what is slow.
    pub(crate) fills: usize,
    /// Passes over everything else.
    pub(crate) passes: usize,
}

impl Scale {
    pub(crate) fn of(quick: bool) -> Self {
        match quick {
            true => Self { messages: 20_000, rooms: 20, fills: 1, passes: 3 },
            // On a shared machine a pass is slow or fast by chance: of many short ones the median says more.
            false => Self { messages: 100_000, rooms: 100, fills: 3, passes: 31 },
        }
    }
}

/// Figures of one contender: by operation, the median of each pass, in microseconds.
pub(crate) type Figures = BTreeMap<&'static str, Vec<f64>>;

/// The readers' times beside a writer, pass by pass.
#[derive(Default)]
pub(crate) struct Beside {
    /// A second.
    pub(crate) reads: Vec<f64>,
    /// A second.
    pub(crate) commits: Vec<f64>,
    /// In microseconds, at a half, at 99 of 100 and at 999 of 1000.
    pub(crate) shares: [Vec<f64>; 3],
}

/// The figures of a contender.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) figures: Figures,
    pub(crate) beside: Beside,
    /// Of the files after the bulk; none if it has none.
    pub(crate) size_bytes: Option<u64>,
    /// The most in memory before files and the busy hour came.
    pub(crate) peak_bytes: u64,
}

pub(crate) fn measure(contenders: &[Contender], scale: &Scale) -> Vec<Shown> {
    let mut shown: Vec<Shown> = contenders.iter().map(|(name, _)| Shown::new(name)).collect();
    for _ in 0..scale.fills {
        for ((name, program), shown) in contenders.iter().zip(&mut shown) {
            import(&mut Rival::start(program, name, scale.rooms), shown, scale.messages / 5);
        }
    }
    let mut rivals = Vec::new();
    for pass in 0..scale.fills {
        let start = |(name, program): &Contender| Rival::start(program, name, scale.rooms);
        rivals = contenders.iter().map(start).collect();
        for (rival, shown) in rivals.iter_mut().zip(&mut shown) {
            let told = rival.tell(&Order::Bulk { messages: scale.messages, commit: 1000 });
            shown.add(BULK, told.cpu_us / scale.messages as f64);
            eprintln!("{BULK}, pass {pass}, {}: {:.2} us", shown.name, told.cpu_us / scale.messages as f64);
        }
    }
    for (rival, shown) in rivals.iter_mut().zip(&mut shown) {
        // It has closed its files once then.
        let keeps = !rival.tell(&Order::Restart { cold: false }).wall_us.is_empty();
        shown.size_bytes = keeps.then(|| rival.size());
    }
    for (name, order, slow) in &OPERATIONS {
        operation(name, order, if *slow { scale.fills } else { scale.passes }, &mut rivals, &mut shown);
    }
    rivals.into_iter().for_each(Rival::end);
    shown
}

fn import(rival: &mut Rival, shown: &mut Shown, messages: usize) {
    let told = rival.tell(&Order::Bulk { messages, commit: messages });
    shown.add(IMPORT, told.wall_us[0] / messages as f64);
}

fn operation(name: &'static str, order: &Order, passes: usize, rivals: &mut [Rival], shown: &mut [Shown]) {
    let clock = Instant::now();
    let mut found = Vec::new();
    // Media are memory of whoever reads them.
    let is_media = matches!(order, Order::PutMedia { .. } | Order::Media { .. });
    for pass in 0..passes {
        for turn in 0..rivals.len() {
            let nth = (turn + pass) % rivals.len();
            let mut told = rivals[nth].tell(order);
            if told.wall_us.is_empty() {
                continue;
            }
            let shown = &mut shown[nth];
            if let Order::Busy { ms, .. } = order {
                shown.beside.add(&mut told.wall_us, told.commits, *ms as f64 / 1e3);
                continue;
            }
            shown.add(name, median(&mut told.wall_us));
            if !is_media {
                shown.peak_bytes = told.peak_bytes;
            }
            if pass == 0 {
                found.push((shown.name, told.found));
            }
        }
    }
    eprintln!("{name}: {:.0} s", clock.elapsed().as_secs_f64());
    // A contender that does less than the others is faster for nothing.
    assert!(found.windows(2).all(|two| two[0].1 == two[1].1), "{name}: not all do the same: {found:?}");
}

impl Shown {
    fn new(name: &'static str) -> Self {
        Self { name, figures: Figures::new(), beside: Beside::default(), size_bytes: None, peak_bytes: 0 }
    }

    fn add(&mut self, what: &'static str, us: f64) {
        self.figures.entry(what).or_default().push(us);
    }

    /// The median of the passes.
    pub(crate) fn middle(&self, what: &str) -> Option<f64> {
        self.figures.get(what).map(|passes| median(&mut passes.clone()))
    }
}

impl Beside {
    fn add(&mut self, wall_us: &mut [f64], commits: usize, seconds: f64) {
        self.reads.push(wall_us.len() as f64 / seconds);
        self.commits.push(commits as f64 / seconds);
        for (share, of) in self.shares.iter_mut().zip([0.5, 0.99, 0.999]) {
            share.push(at_share(wall_us, of));
        }
    }

    /// Reads and commits a second, then the times: medians of the passes.
    pub(crate) fn middle(&self) -> Option<[f64; 5]> {
        let [p50, p99, p999] = &self.shares;
        let all = [&self.reads, &self.commits, p50, p99, p999];
        (!self.reads.is_empty()).then(|| all.map(|passes| median(&mut passes.clone())))
    }
}
