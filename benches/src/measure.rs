//! How it is measured: two contenders take turns, medians are told.

use std::path::Path;
use std::time::Instant;

/// Passes over each operation.
pub const PASSES: usize = 7;

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
    median(&mut times.collect::<Vec<_>>())
}

/// Sorts them, and tells the one in the middle.
pub fn median(values: &mut [f64]) -> f64 {
    at_share(values, 0.5)
}

/// Sorts them, and tells the one that so large a share is below.
pub fn at_share(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() as f64 * share) as usize).min(values.len() - 1)]
}

/// Three digits that say something.
pub fn digits(figure: f64) -> String {
    match figure {
        figure if figure >= 100.0 => format!("{figure:.0}"),
        figure if figure >= 10.0 => format!("{figure:.1}"),
        figure => format!("{figure:.2}"),
    }
}

/// The size of what is in a folder, in bytes.
///
/// # Panics
/// When it cannot be read.
pub fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { size(&path) } else { path.metadata().expect("a file").len() }).sum()
}

/// Describes the machine.
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown processor", |line| line.trim_start_matches(['\t', ':', ' ']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

/// The head of a table of two contenders.
pub fn head([one, other]: [&str; 2]) {
    println!("{:<34}{one:>14}{other:>14}{:>8}{:>8}", "", "ratio", "goal");
}

/// A line of it: medians, and the second by the first.
pub fn row(name: &str, (mut one, mut other): (Vec<f64>, Vec<f64>), goal: &str) {
    let (one, other) = (median(&mut one), median(&mut other));
    println!("{name:<34}{one:>14.1}{other:>14.1}{:>8.2}{goal:>8}", other / one);
}
