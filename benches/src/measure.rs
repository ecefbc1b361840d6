//! How it is measured: two contenders take turns, medians are told.

use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

/// Passes over each operation.
pub const PASSES: usize = 7;

/// What `work` gives, and the CPU time of the whole process meanwhile, in microseconds.
pub fn cpu<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let now = || {
        let t = clock_gettime(ClockId::ProcessCPUTime);
        t.tv_sec as f64 * 1e6 + t.tv_nsec as f64 / 1e3
    };
    let start = now();
    let made = work();
    (made, now() - start)
}

/// Median wall times in microseconds a call, of each pass; the two take turns.
pub fn pair(calls: usize, mut one: impl FnMut(), mut other: impl FnMut()) -> (Vec<f64>, Vec<f64>) {
    let mut passes = (Vec::new(), Vec::new());
    for _ in 0..PASSES {
        passes.0.push(p50(calls, &mut one));
        passes.1.push(p50(calls, &mut other));
    }
    passes
}

fn p50(calls: usize, call: &mut impl FnMut()) -> f64 {
    let times = (0..calls).map(|_| {
        let start = Instant::now();
        call();
        start.elapsed().as_secs_f64() * 1e6
    });
    median(times.collect())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The head of a table of two contenders.
pub fn head([one, other]: [&str; 2]) {
    println!("{:<34}{one:>14}{other:>14}{:>8}{:>8}", "", "ratio", "goal");
}

/// A line of it: medians, and the second by the first.
pub fn row(name: &str, (one, other): (Vec<f64>, Vec<f64>), goal: &str) {
    let (one, other) = (median(one), median(other));
    println!("{name:<34}{one:>14.1}{other:>14.1}{:>8.2}{goal:>8}", other / one);
}
