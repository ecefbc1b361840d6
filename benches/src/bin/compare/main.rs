//! The stores beside the floor and beside what a user would pick instead, each in a process of its own, in turns.
//!
//! ```sh
//! cargo xtask bench                    # ours and the floor
//! cargo xtask bench --peers            # and matrix-sdk-sqlite
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod args;
mod goals;
mod report;
mod rival;

use std::collections::BTreeMap;

use haos_contest::Order;

use args::Args;
use rival::Rival;

/// What is measured, in this order, after the bulk: how it is called, and the order of a pass.
const OPERATIONS: [(&str, Order); 14] = [
    ("newest 50", Order::Newest(300)),
    ("50 deep in the room", Order::Deep(300)),
    ("get by id", Order::Get(1000)),
    ("what relates to one", Order::Related(500)),
    ("50 rooms by recency", Order::Rooms(100)),
    ("restart + newest 50", Order::Restart),
    ("sync commit, Relaxed", Order::Sync { calls: 60, strict: false }),
    ("sync commit, Strict", Order::Sync { calls: 60, strict: true }),
    ("enqueue + sent", Order::Send(60)),
    ("put 4 KiB of media", Order::PutMedia { calls: 60, bytes: 4 << 10 }),
    ("put 1 MiB of media", Order::PutMedia { calls: 10, bytes: 1 << 20 }),
    ("read 1 MiB of media", Order::Media { calls: 10, part: false }),
    ("read 4 KiB within 1 MiB", Order::Media { calls: 10, part: true }),
    ("get by id, later", Order::Get(1000)),
];
const BULK: &str = "bulk insert, CPU a message";

/// Figures of one contender: by operation, the median of each pass, in microseconds.
type Figures = BTreeMap<&'static str, Vec<f64>>;

/// What a contender showed.
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    pub(crate) figures: Figures,
    pub(crate) size_bytes: u64,
    pub(crate) peak_bytes: u64,
}

fn main() {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(text) => {
            eprintln!("{text}");
            std::process::exit(2);
        }
    };
    let shown = measure(&args);
    let text = report::markdown(&args, &shown);
    println!("{text}");
    if args.write {
        let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        std::fs::write(&file, text).unwrap();
    }
}

fn measure(args: &Args) -> Vec<Shown> {
    let mut figures: Vec<Figures> = vec![Figures::new(); args.contenders.len()];
    let mut rivals = Vec::new();
    for pass in 0..args.fills {
        rivals = args.contenders.iter().map(|(name, program)| Rival::start(program, name, args.rooms)).collect();
        for (nth, rival) in rivals.iter_mut().enumerate() {
            let told = rival.tell(&Order::Bulk(args.messages));
            figures[nth].entry(BULK).or_default().push(told.cpu_us / args.messages as f64);
            eprintln!("bulk {pass} {}: {:.2} us", args.contenders[nth].0, told.cpu_us / args.messages as f64);
        }
    }
    for (name, order) in &OPERATIONS {
        let mut found = Vec::new();
        for pass in 0..args.passes {
            for turn in 0..rivals.len() {
                let nth = (turn + pass) % rivals.len();
                let mut told = rivals[nth].tell(order);
                if told.wall_us.is_empty() {
                    continue;
                }
                figures[nth].entry(name).or_default().push(median(&mut told.wall_us));
                if pass == 0 {
                    found.push((args.contenders[nth].0, told.found));
                }
            }
        }
        eprintln!("{name}: {found:?}");
        // Who does less than the others is faster for nothing.
        assert!(found.windows(2).all(|two| two[0].1 == two[1].1), "{name}: not all do the same: {found:?}");
    }
    let names = args.contenders.iter().map(|(name, _)| *name);
    names
        .zip(figures)
        .zip(rivals)
        .map(|((name, figures), rival)| {
            let peak_bytes = rival.peak_bytes;
            Shown { name, figures, size_bytes: rival.end(), peak_bytes }
        })
        .collect()
}

/// Sorts them.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
