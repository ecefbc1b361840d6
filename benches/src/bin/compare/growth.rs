//! How cost grows with what is stored: the same stores, ten times as large at each step.

use haos_contest::Order;

use crate::operations::{DEEP, GET, NEWEST, RELAXED, STRICT, WARM};
use crate::rival::Rival;
use crate::{Contender, median};

/// Who shows how it grows; the first is what memory is compared with.
const GROWING: [&str; 4] = ["floor", "sqlite", "sqlite-sealed", "sled"];
/// Who is measured at ten millions.
const HUGE: [&str; 2] = ["floor", "sqlite"];

/// What is measured at each size.
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

/// What it showed at a size.
pub(crate) struct Size {
    pub(crate) messages: usize,
    /// In microseconds, as `OPERATIONS` are.
    pub(crate) figures: Vec<f64>,
    pub(crate) file_bytes: u64,
    pub(crate) peak_bytes: u64,
}

/// A hundred rooms; then a single one, up to a million.
pub(crate) fn measure(contenders: &[Contender], huge: bool) -> Vec<Grown> {
    let growing: Vec<_> = contenders.iter().filter(|(name, _)| GROWING.contains(name)).cloned().collect();
    let mut grown = grow(&growing, 100, &[10_000, 100_000, 1_000_000]);
    if huge {
        let growing: Vec<_> = growing.iter().filter(|(name, _)| HUGE.contains(name)).cloned().collect();
        let huge = grow(&growing, 100, &[10_000, 100_000, 1_000_000, 10_000_000]);
        grown.retain(|grown| !HUGE.contains(&grown.name));
        grown.splice(0..0, huge);
    }
    grown.extend(grow(&growing, 1, &[10_000, 100_000, 1_000_000]));
    grown
}

fn grow(contenders: &[Contender], rooms: usize, sizes: &[usize]) -> Vec<Grown> {
    let start = |(name, program): &Contender| Rival::start(program, name, rooms);
    let mut rivals: Vec<_> = contenders.iter().map(start).collect();
    let mut grown: Vec<_> =
        contenders.iter().map(|(name, _)| Grown { name, rooms, sizes: Vec::new() }).collect();
    let mut stored = 0;
    for messages in sizes {
        for (rival, grown) in rivals.iter_mut().zip(&mut grown) {
            eprintln!("growth: {} to {messages} messages in {rooms} rooms", grown.name);
            rival.tell(&Order::Bulk { messages: messages - stored, commit: 1000 });
        }
        stored = *messages;
        let mut passes = vec![vec![Vec::new(); OPERATIONS.len()]; rivals.len()];
        let mut peaks = vec![0; rivals.len()];
        for _ in 0..5 {
            for (nth, (_, order)) in OPERATIONS.iter().enumerate() {
                for (rival, (passes, peak)) in rivals.iter_mut().zip(passes.iter_mut().zip(&mut peaks)) {
                    let mut told = rival.tell(order);
                    passes[nth].push(median(&mut told.wall_us));
                    *peak = told.peak_bytes;
                }
            }
        }
        for ((grown, rival), (passes, peak_bytes)) in
            grown.iter_mut().zip(&rivals).zip(passes.into_iter().zip(peaks))
        {
            let figures = passes.into_iter().map(|mut passes| median(&mut passes)).collect();
            let file_bytes = rival.size();
            grown.sizes.push(Size { messages: *messages, figures, file_bytes, peak_bytes });
        }
    }
    rivals.into_iter().for_each(Rival::end);
    grown
}
