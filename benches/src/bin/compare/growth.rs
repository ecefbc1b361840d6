//! How cost grows with what is stored: the same stores, ten times as large at each step.

use haos_benches::median;
use haos_contest::Order;

use crate::Contender;
use crate::operations::{DEEP, GET, NEWEST, RELAXED, STRICT, WARM};
use crate::rival::Rival;

/// The contenders that show how they grow; memory is compared with the first.
const GROWING: [&str; 4] = ["floor", "sqlite", "sqlite-sealed", "sled"];
/// The contenders that are measured at ten millions.
const HUGE: [&str; 2] = ["floor", "sqlite"];

/// The operations that are measured at each size.
pub(crate) const OPERATIONS: [(&str, Order); 6] = [
    (NEWEST, Order::Newest(200)),
    (DEEP, Order::Deep(200)),
    (GET, Order::Get(1000)),
    (RELAXED, Order::Sync { calls: 100, strict: false }),
    (STRICT, Order::Sync { calls: 60, strict: true }),
    (WARM, Order::Restart { cold: false }),
];

/// A store as it grew.
pub(crate) struct Grown {
    pub(crate) name: &'static str,
    pub(crate) rooms: usize,
    pub(crate) sizes: Vec<Size>,
}

/// The figures at a size.
pub(crate) struct Size {
    pub(crate) messages: usize,
    /// In microseconds, as `OPERATIONS` are.
    pub(crate) figures: Vec<f64>,
    pub(crate) file_bytes: u64,
    pub(crate) peak_bytes: u64,
}

/// Over each operation, at each size.
pub(crate) const PASSES: usize = 15;
const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// The number of operations, from the first on, in which everybody takes part.
const FOR_ALL: usize = 3;

/// A hundred rooms; then a single one, up to a million.
pub(crate) fn measure(contenders: &[Contender], huge: bool) -> Vec<Grown> {
    let growing: Vec<_> = contenders.iter().filter(|(name, _)| GROWING.contains(name)).cloned().collect();
    let mut grown = grow(&growing, 100, if huge { &SIZES } else { &SIZES[..FOR_ALL] });
    grown.extend(grow(&growing, 1, &SIZES[..FOR_ALL]));
    grown
}

fn grow(contenders: &[Contender], rooms: usize, sizes: &[usize]) -> Vec<Grown> {
    let start = |(name, program): &Contender| {
        (Rival::start(program, name, rooms), Grown { name, rooms, sizes: Vec::new() })
    };
    let mut growing: Vec<_> = contenders.iter().map(start).collect();
    let mut stored = 0;
    let mut ended = Vec::new();
    for (step, messages) in sizes.iter().enumerate() {
        if step == FOR_ALL {
            for (rival, grown) in growing.extract_if(.., |(_, grown)| !HUGE.contains(&grown.name)) {
                rival.end();
                ended.push(grown);
            }
        }
        for (rival, grown) in &mut growing {
            eprintln!("growth: {} to {messages} messages in {rooms} rooms", grown.name);
            rival.tell(&Order::Bulk { messages: messages - stored, commit: 1000 });
        }
        stored = *messages;
        look(&mut growing, stored);
    }
    let grown = growing.into_iter().map(|(rival, grown)| {
        rival.end();
        grown
    });
    grown.chain(ended).collect()
}

/// Measures all operations at the present size; contenders take turns.
fn look(growing: &mut [(Rival, Grown)], messages: usize) {
    let mut passes = vec![[const { Vec::new() }; OPERATIONS.len()]; growing.len()];
    let mut peaks = vec![0; growing.len()];
    for _ in 0..PASSES {
        for (nth, (_, order)) in OPERATIONS.iter().enumerate() {
            for ((rival, _), (passes, peak)) in growing.iter_mut().zip(passes.iter_mut().zip(&mut peaks)) {
                let mut told = rival.tell(order);
                passes[nth].push(median(&mut told.wall_us));
                *peak = told.peak_bytes;
            }
        }
    }
    for ((rival, grown), (passes, peak_bytes)) in growing.iter_mut().zip(passes.into_iter().zip(peaks)) {
        let figures = passes.map(|mut passes| median(&mut passes)).to_vec();
        grown.sizes.push(Size { messages, figures, file_bytes: rival.size(), peak_bytes });
    }
}
