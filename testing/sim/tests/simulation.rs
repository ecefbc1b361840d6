//! The simulation over many seeds. `HAOS_SEEDS` says how many, `HAOS_SEED` runs one and prints its trace.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use haos_sim::{Plan, run, shrink};

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text:?}")))
}

/// How many seeds run: what runs none finds nothing, and must not look as if it had.
fn seeds() -> u64 {
    let seeds = number("HAOS_SEEDS").unwrap_or(2000);
    assert!(seeds > 0, "HAOS_SEEDS is 0: nothing would be simulated");
    seeds
}

#[test]
fn every_seed_keeps_every_law() {
    if let Some(seed) = number("HAOS_SEED") {
        let report = run(&Plan::of(seed), true);
        println!("{}", report.trace.join("\n"));
        println!("{:?} in {} steps, {} virtual ms", report.violation, report.steps, report.ms);
        assert_eq!(report.violation, None);
        return;
    }
    let seeds = seeds();
    let next = AtomicU64::new(0);
    let begun = Instant::now();
    let work = || {
        let mut counters: BTreeMap<&'static str, u64> = BTreeMap::new();
        let mut rows = 0;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                return Ok((counters, rows));
            }
            let report = run(&Plan::of(seed), false);
            if let Some(violation) = report.violation {
                return Err((seed, violation));
            }
            rows += report.rows;
            for (what, n) in report.counters {
                *counters.entry(what).or_default() += n;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut totals: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut rows = 0;
    for result in results {
        match result {
            Ok((counters, more)) => {
                rows += more;
                for (what, n) in counters {
                    *totals.entry(what).or_default() += n;
                }
            }
            Err((seed, violation)) => {
                let short = shrink(&Plan::of(seed));
                let report = run(&short, true);
                println!("{}", report.trace.join("\n"));
                println!("{short:#?}");
                panic!("seed {seed}: {violation:?}; shrunk: {:?}", report.violation);
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!("{seeds} seeds, {rows} rows in {seconds:.1} s: {:.0} seeds a second", seeds as f64 / seconds);
    for (what, n) in &totals {
        println!("{n:>9} {what}");
    }
    assert!(rows > 0, "nobody wrote anything");
}

/// Seeds that found a fault once.
const BUG_BASE: [u64; 22] = [
    1, 7, 58, 89, 184, 593, 603, 651, 905, 1196, 1533, 1619, 2619, 6061, 6348, 7358, 13928, 20448, 21469,
    22600, 30641, 53953,
];

#[test]
fn what_was_found_once_stays_fixed() {
    for seed in BUG_BASE {
        assert_eq!(run(&Plan::of(seed), false).violation, None, "seed {seed}");
    }
}

/// The same seed is the same run, to the last step.
#[test]
fn a_seed_can_be_run_again() {
    for seed in 0..20 {
        let (one, two) = (run(&Plan::of(seed), true), run(&Plan::of(seed), true));
        assert_eq!((one.trace, one.steps, one.counters), (two.trace, two.steps, two.counters), "seed {seed}");
    }
}
