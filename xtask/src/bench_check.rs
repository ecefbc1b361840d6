//! Instructions instead of times: they hardly differ from run to run, however busy the machine is.

use std::fs;
use std::path::Path;

use crate::baseline::{BLESS, Baseline, FILE, Verdict};
use crate::cmd::Cmd;
use crate::need::Need;
use crate::{Result, beside};

/// A hot path, as `benches/src/bin/hot.rs` knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hot {
    path: &'static str,
    /// The calls of its first run: enough that they stand out from the set-up, part of which is chance.
    calls: u64,
}

const PATHS: [Hot; 10] = [
    Hot { path: "sqlite-bulk", calls: 4 },
    Hot { path: "sqlite-sync", calls: 200 },
    Hot { path: "sqlite-newest", calls: 300 },
    Hot { path: "sqlite-get", calls: 1_000 },
    Hot { path: "sqlite-sealed-newest", calls: 300 },
    Hot { path: "sled-bulk", calls: 6 },
    Hot { path: "sled-newest", calls: 1_000 },
    Hot { path: "memory-newest", calls: 400 },
    Hot { path: "codec-encode", calls: 2_000 },
    Hot { path: "codec-decode", calls: 2_000 },
];

/// The second run of a path has this number of times the calls of the first.
const TIMES: u64 = 3;
const FOLDER: &str = "target/hot";

impl Hot {
    fn out(self, calls: u64) -> String {
        format!("{FOLDER}/{}-{calls}.out", self.path)
    }

    /// A run of this number of calls. Each makes what the calls of both need, so that they differ by the calls.
    fn command(self, calls: u64) -> Cmd {
        let out = format!("--callgrind-out-file={}", self.out(calls));
        let (calls, of) = (calls.to_string(), (self.calls * TIMES).to_string());
        let program = "target/release/hot";
        Cmd::new("valgrind", &["-q", "--tool=callgrind", &out, program, self.path, &calls, &of])
    }

    /// The instructions of a run of this number of calls.
    fn instructions(self, root: &Path, calls: u64) -> Result<u64> {
        let out = self.out(calls);
        let text = fs::read_to_string(root.join(&out)).map_err(|e| format!("cannot read {out}: {e}"))?;
        total(&text).ok_or_else(|| format!("no total in {out}: is this another kind of valgrind?"))
    }
}

/// The instructions of the two runs of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Count {
    hot: Hot,
    few: u64,
    many: u64,
}

impl Count {
    fn a_call(&self) -> u64 {
        self.many.saturating_sub(self.few) / (self.hot.calls * (TIMES - 1))
    }
}

/// Compares the paths with their baseline, or with `bless` writes it.
pub(crate) fn run(root: &Path, bless: bool) -> Result {
    Need::Valgrind.meet()?;
    let build = Cmd::cargo("build --release -p haos-benches --bin hot");
    println!("$ {build}");
    if !build.run(root) {
        return Err(format!("failed: {build}"));
    }
    fs::create_dir_all(root.join(FOLDER)).map_err(|e| format!("cannot make {FOLDER}: {e}"))?;
    let rustc = rustc()?;
    if bless { write(root, rustc) } else { check(root, &rustc) }
}

fn check(root: &Path, rustc: &str) -> Result {
    let text = fs::read_to_string(root.join(FILE));
    let text = text.map_err(|e| format!("cannot read {FILE}: {e}; `{BLESS}` writes it"))?;
    let baseline = Baseline::parse(&text).map_err(|e| format!("{FILE}: {e}"))?;
    let mut counts = count(root, &PATHS)?;
    let beyond = |count: &&Count| {
        matches!(baseline.judge(count.hot.path, count.a_call()), Verdict::More | Verdict::Fewer)
    };
    let doubtful: Vec<_> = counts.iter().filter(beyond).map(|count| count.hot).collect();
    if !doubtful.is_empty() {
        println!("What is beyond the tolerance is counted once more.\n");
        again(root, &mut counts, &doubtful)?;
    }
    let now: Vec<_> = counts.iter().map(|count| (count.hot.path, count.a_call())).collect();
    println!("{}", baseline.table(&now));
    baseline.verdict(&now, rustc).map(|said| println!("{said}"))
}

/// Everything is counted twice: what stands in a baseline should not be chance.
fn write(root: &Path, rustc: String) -> Result {
    let mut counts = count(root, &PATHS)?;
    again(root, &mut counts, &PATHS)?;
    let paths = counts.iter().map(|count| (count.hot.path.to_owned(), count.a_call())).collect();
    let text = Baseline { rustc, paths }.to_string();
    fs::write(root.join(FILE), &text).map_err(|e| format!("cannot write {FILE}: {e}"))?;
    println!("{text}\nwritten to {FILE}");
    Ok(())
}

/// Counts these paths, some at once.
fn count(root: &Path, paths: &[Hot]) -> Result<Vec<Count>> {
    let commands =
        paths.iter().flat_map(|hot| [hot.calls, hot.calls * TIMES].map(|calls| hot.command(calls)));
    let commands: Vec<_> = commands.collect();
    beside::run(root, &commands, |_| {}).map_err(|failed| format!("failed:\n    {failed}"))?;
    let counts = paths.iter().map(|&hot| {
        let few = hot.instructions(root, hot.calls)?;
        Ok(Count { hot, few, many: hot.instructions(root, hot.calls * TIMES)? })
    });
    counts.collect()
}

/// Counts some once more and keeps the lower: what a database does in the background adds by chance.
fn again(root: &Path, counts: &mut [Count], paths: &[Hot]) -> Result {
    for other in count(root, paths)? {
        for count in counts.iter_mut().filter(|count| count.hot == other.hot) {
            (count.few, count.many) = (count.few.min(other.few), count.many.min(other.many));
        }
    }
    Ok(())
}

/// The instructions of all threads, which callgrind writes at the end of its file.
fn total(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Which compiler this is and what it compiles for, in a line.
fn rustc() -> Result<String> {
    let told = Cmd::new("rustc", &["-vV"]).output().ok_or("`rustc -vV` does not work")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("an unknown machine");
    Ok(format!("{}, {host}", told.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_the_last_line_of_its_kind() {
        let out = "version: 1\ncmd: ./hot totals: 1\nevents: Ir\nsummary: 5083\n\nfn=(1) main\n7 20\n\ntotals: 5083\n";
        assert_eq!(total(out), Some(5083));
        assert_eq!(total("totals: 70 3 1\n"), Some(70), "instructions come first");
        assert_eq!(total("events: Ir\n\nfn=(1) main\n"), None, "a run that was cut short");
        assert_eq!(total("totals: many\n"), None);
    }

    #[test]
    fn the_set_up_does_not_count() {
        let count = Count { hot: Hot { path: "x", calls: 10 }, few: 1_000_500, many: 1_001_500 };
        assert_eq!(count.a_call(), 50);
        assert_eq!(Count { many: 1, ..count }.a_call(), 0, "nothing below nothing");
    }

    #[test]
    fn both_runs_make_the_same() {
        let line = |calls| PATHS[0].command(calls).to_string();
        assert!(
            line(4).ends_with("target/hot/sqlite-bulk-4.out target/release/hot sqlite-bulk 4 12"),
            "{}",
            line(4)
        );
        assert!(line(12).ends_with("hot sqlite-bulk 12 12"), "{}", line(12));
    }

    #[test]
    fn the_compiler_is_told_as_the_baseline_has_it() {
        let rustc = rustc().unwrap();
        let baseline = Baseline { rustc: rustc.clone(), paths: Vec::new() };
        assert_eq!(Baseline::parse(&baseline.to_string()).unwrap().rustc, rustc);
    }

    #[test]
    fn the_committed_baseline_has_every_path() {
        let text = fs::read_to_string(crate::root::find().unwrap().join(FILE)).unwrap();
        let baseline = Baseline::parse(&text).unwrap();
        let names: Vec<_> = baseline.paths.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, PATHS.map(|hot| hot.path));
    }
}
