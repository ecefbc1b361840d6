//! Puts small mistakes into what decides something, one at a time, and asks the tests to find each.
//!
//! All mistakes are compiled into one copy of the workspace, each behind a switch that is read from the
//! environment: compiling once for each of thousands would take days. It is not for code that the compiler runs
//! (constants, patterns, types), and it changes nothing outside its folder below `target/`.

mod drop;
mod find;
mod mutant;
mod named;
mod report;
mod run;
mod scope;
mod site;
mod switch;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;

use crate::mutant::Mutant;
use crate::report::{Equivalent, Outcome};
use crate::run::{Ended, Known};
use crate::site::Source;
use crate::tree::{Program, Tree};

/// Rounds of leaving out what does not compile.
const ROUNDS: usize = 30;
/// Mistakes with names, each of which the simulation or the tests of its package must find.
const NAMED: &str = "testing/mutants/mistakes.txt";
/// How many others stand for each of them in a sample.
const TO_EACH_NAMED: usize = 6;
/// Mistakes that change nothing, with reasons.
const EQUIVALENT: &str = "testing/mutants/equivalent.txt";

/// Make small mistakes in what decides something, and see which the tests find.
#[derive(Parser)]
#[command(name = "cargo xtask mutants", bin_name = "cargo xtask mutants")]
struct Args {
    /// Only this number, chosen by `--seed`; all if not given
    #[arg(long, value_name = "N")]
    sample: Option<usize>,
    /// Which ones a sample takes; if not given, the commit that is checked out says it
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Try no more after this number of seconds; what is left is said
    #[arg(long, value_name = "N")]
    seconds: Option<u64>,
    /// Only mistakes whose name contains this: a file, a function, a change
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only mistakes in this package, and only its own tests; `any`: the seed says which
    #[arg(long, value_name = "PACKAGE")]
    package: Option<String>,
    /// Fail if fewer than this number of a hundred are found; if not given, when one survives that has no reason to
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=100))]
    least: Option<u8>,
    /// Print the mistakes and try none
    #[arg(long)]
    list: bool,
    /// Forget what an earlier run of the same sources found
    #[arg(long)]
    fresh: bool,
    /// How many are tried at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// The root of the workspace
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    match work(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("mutants: {message}");
            ExitCode::FAILURE
        }
    }
}

fn work(args: &Args) -> Result<bool, String> {
    let root = fs::canonicalize(&args.root).map_err(|e| format!("{}: {e}", args.root.display()))?;
    let all_sources = read(&root)?;
    let equivalent = equivalent(&root, &all_sources)?;
    let seed = args.seed.map_or_else(|| commit(&root), Ok)?;
    let packages = packages(args.package.as_deref(), seed)?;
    let is_asked = |path: &str| packages.contains(&scope::finder(path));
    let is_meant = |source: &Source| {
        packages.contains(&scope::package(&source.path))
            || is_asked(&source.path) && source.sites.iter().any(named::is_one)
    };
    let sources: Vec<_> = all_sources.into_iter().filter(is_meant).collect();
    let all = mutant::number(&sources);
    let is_meant = |mutant: &&Mutant| {
        let path = &sources[mutant.file].path;
        (mutant.is_named && is_asked(path) || packages.contains(&scope::package(path)))
            && args.only.as_ref().is_none_or(|text| mutant.name.contains(text))
    };
    let mut chosen: Vec<_> = all.iter().filter(is_meant).cloned().collect();
    if args.list {
        chosen.iter().for_each(|mutant| println!("{} [line {}]", mutant.name, mutant.line));
        println!("{} mistakes in {} files", chosen.len(), sources.len());
        return Ok(true);
    }
    if let Some(many) = args.sample {
        println!("a sample of {many} in {}, by the seed {seed}", packages.join(", "));
        let (named, others) = chosen.into_iter().partition(|mutant| mutant.is_named);
        chosen = mutant::sample(named, many.div_ceil(TO_EACH_NAMED), seed);
        chosen.extend(mutant::sample(others, many, seed));
    }
    let scratch = root.join("target/mutants");
    let (programs, dropped) = build(&root, &scratch, &packages, &sources, &all, &chosen)?;
    let is_dropped = |mutant: &Mutant| dropped.contains(&(mutant.file, mutant.site));
    if let Some(mutant) = chosen.iter().find(|mutant| mutant.is_named && is_dropped(mutant)) {
        return Err(format!("{} does not compile: correct it in {NAMED}", mutant.name));
    }
    chosen.retain(|mutant| !is_dropped(mutant));
    let ledger = Ledger::open(&scratch, &programs, args.fresh)?;
    let knowns = learn(&programs, &scratch)?;
    let (outcomes, untried) = try_all(args, &sources, &all, &chosen, &knowns, &ledger, &scratch)?;
    println!("{}", report::text(&outcomes, &equivalent));
    let survivors = report::survivors(&outcomes, &equivalent).len();
    let found = outcomes.iter().filter(|outcome| outcome.found_by.is_some()).count();
    println!(
        "{} tried, {found} found, {survivors} survived, {untried} not tried for want of time",
        outcomes.len()
    );
    let overlooked: Vec<_> =
        outcomes.iter().filter(|outcome| outcome.is_named && outcome.found_by.is_none()).collect();
    if let [first, ..] = overlooked[..] {
        return Err(format!(
            "{} mistakes with names are not found by the tests that must, as {}",
            overlooked.len(),
            first.name
        ));
    }
    Ok(match args.least {
        Some(least) => found * 100 >= usize::from(least) * (found + survivors),
        None => survivors == 0,
    })
}

/// The packages whose mistakes and tests are meant.
fn packages(named: Option<&str>, seed: u64) -> Result<Vec<&'static str>, String> {
    let mistaken = || scope::PACKAGES.into_iter().filter(|package| scope::is_mistaken(package));
    let with_finder = |package| match package {
        scope::FRONT => vec![scope::FRONT],
        scope::BROWSER => vec![scope::BROWSER],
        _ => vec![package, scope::SIMULATION],
    };
    match named {
        None => Ok(scope::PACKAGES.to_vec()),
        Some("any") => {
            let all: Vec<_> = mistaken().collect();
            Ok(with_finder(all[(seed % all.len() as u64) as usize]))
        }
        Some(name) => match mistaken().find(|package| *package == name) {
            Some(package) => Ok(with_finder(package)),
            None => {
                Err(format!("--package takes `any` or one of {}", mistaken().collect::<Vec<_>>().join(", ")))
            }
        },
    }
}

/// A number that the commit decides, so that each brings another sample and a failure can be repeated.
fn commit(root: &Path) -> Result<u64, String> {
    let told = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(root)
        .output()
        .map_err(|e| format!("git is needed to name the commit: {e}"))?;
    Ok(mutant::hash(String::from_utf8_lossy(&told.stdout).trim(), 0) >> 32)
}

fn read(root: &Path) -> Result<Vec<Source>, String> {
    let read = |path: &String| {
        let text = fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"))?;
        find::find(path, text).map_err(|e| format!("{path}: {e}"))
    };
    let mut files = scope::files(root)?;
    let decided = files.len();
    let list = fs::read_to_string(root.join(NAMED)).map_err(|e| format!("{NAMED}: {e}"))?;
    let named = named::parse(&list).map_err(|e| format!("{NAMED}: {e}"))?;
    for one in &named {
        if !files.iter().any(|path| path == one.path) {
            files.push(one.path.to_owned());
        }
    }
    let mut sources = files.iter().map(read).collect::<Result<Vec<Source>, String>>()?;
    // Elsewhere the named mistakes alone are made.
    sources[decided..].iter_mut().for_each(|source| source.sites.clear());
    for one in &named {
        if let Some(source) = sources.iter_mut().find(|source| source.path == one.path) {
            one.add(source).map_err(|e| format!("{NAMED}: {e}"))?;
        }
    }
    Ok(sources)
}

/// The mistakes that change nothing: all of them are still there.
fn equivalent(root: &Path, sources: &[Source]) -> Result<Equivalent, String> {
    let list = fs::read_to_string(root.join(EQUIVALENT)).map_err(|e| format!("{EQUIVALENT}: {e}"))?;
    let equivalent = Equivalent::parse(&list).map_err(|e| format!("{EQUIVALENT}: {e}"))?;
    let all = mutant::number(sources);
    let names: BTreeSet<&str> = all.iter().map(|mutant| &*mutant.name).collect();
    match equivalent.stale(&names)[..] {
        [] => Ok(equivalent),
        ref stale => {
            let stale = stale.join("\n");
            Err(format!("{EQUIVALENT} names what is not there any more, remove it:\n{stale}"))
        }
    }
}

type Dropped = BTreeSet<(usize, usize)>;

/// Builds with every chosen mistake that compiles; tells which places were left as they are.
fn build(
    root: &Path,
    scratch: &Path,
    packages: &[&'static str],
    sources: &[Source],
    all: &[Mutant],
    chosen: &[Mutant],
) -> Result<(Vec<Program>, Dropped), String> {
    let tree = Tree::copy(root, scratch, packages, sources)?;
    let places = |mutants: &[Mutant]| -> Dropped { mutants.iter().map(|m| (m.file, m.site)).collect() };
    let idle = &places(all) - &places(chosen);
    let memory = scratch.join("dropped.json");
    let names: BTreeMap<_, _> =
        all.iter().map(|mutant| (&*mutant.name, (mutant.file, mutant.site))).collect();
    // A change that did not compile before will not now, mostly.
    let mut remembered: BTreeSet<String> =
        fs::read(&memory).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let mut dropped: Dropped = remembered.iter().filter_map(|name| names.get(&**name).copied()).collect();
    for round in 1..=ROUNDS {
        let woven = tree.weave(sources, all, &(&dropped | &idle))?;
        let begun = Instant::now();
        let built = match tree.build(true)? {
            Ok(_) => {
                let left = without(chosen, &dropped).len();
                println!("compiling {} mistakes, without {left} that do not compile", chosen.len() - left);
                // What is compiled for tests alone may still be at fault.
                tree.build(false)?
            }
            faults => faults,
        };
        match built {
            Ok(programs) => return Ok((programs, dropped)),
            Err(faults) => {
                let blamed = drop::blamed(sources, &woven, &faults)?;
                println!(
                    "round {round}: {} places do not compile ({:.0} s)",
                    blamed.len(),
                    begun.elapsed().as_secs_f64()
                );
                dropped.extend(blamed);
                remembered.extend(without(all, &dropped).into_iter().map(str::to_owned));
                let bytes = serde_json::to_vec(&remembered).map_err(|e| e.to_string())?;
                fs::write(&memory, bytes).map_err(|e| format!("{}: {e}", memory.display()))?;
            }
        }
    }
    Err(format!("it does not compile after {ROUNDS} rounds"))
}

/// The names of the mistakes that are left out.
fn without<'a>(all: &'a [Mutant], dropped: &Dropped) -> Vec<&'a str> {
    all.iter()
        .filter(|mutant| dropped.contains(&(mutant.file, mutant.site)))
        .map(|mutant| &*mutant.name)
        .collect()
}

fn learn(programs: &[Program], scratch: &Path) -> Result<Vec<Known>, String> {
    let mut knowns = Vec::new();
    for program in programs {
        match run::learn(program, scratch)? {
            Some(known) => {
                println!(
                    "{}: {:.1} s, {} places",
                    program.name,
                    known.took.as_secs_f64(),
                    known.reaches.len()
                );
                knowns.push(known);
            }
            None => println!("{}: left out, it takes longer than {} s", program.name, run::LONGEST.as_secs()),
        }
    }
    knowns.retain(|known| !known.reaches.is_empty());
    knowns.sort_by_key(|known| known.took);
    Ok(knowns)
}

/// The findings of earlier runs, so that one that was cut off goes on, and one after new tests tries again what they
/// may find.
struct Ledger {
    file: Mutex<File>,
    outcomes: BTreeMap<String, Outcome>,
    programs: u64,
}

impl Ledger {
    fn open(scratch: &Path, programs: &[Program], fresh: bool) -> Result<Self, String> {
        let path = scratch.join("outcomes.jsonl");
        let io = |e: std::io::Error| format!("{}: {e}", path.display());
        if fresh {
            let _ = fs::remove_file(&path);
        }
        let mut outcomes = BTreeMap::new();
        if let Ok(file) = File::open(&path) {
            for line in BufReader::new(file).lines().map_while(Result::ok) {
                if let Ok(outcome) = serde_json::from_str::<Outcome>(&line) {
                    outcomes.insert(outcome.name.clone(), outcome);
                }
            }
        }
        let file = File::options().create(true).append(true).open(&path).map_err(io)?;
        let programs = programs.iter().fold(0, |all, program| mutant::hash(&program.made(), all));
        Ok(Self { file: Mutex::new(file), outcomes, programs })
    }

    /// The earlier finding on a mistake: who found it, in the same text; or that these programs do not find it.
    fn known(&self, name: &str, text: u64) -> Option<&Outcome> {
        let same = |known: &&Outcome| {
            known.text == text && (known.found_by.is_some() || known.programs == self.programs)
        };
        self.outcomes.get(name).filter(same)
    }

    fn note(&self, outcome: &Outcome) -> Result<(), String> {
        let line = serde_json::to_string(outcome).map_err(|e| e.to_string())? + "\n";
        let mut file = self.file.lock().map_err(|_| "a thread panicked".to_owned())?;
        file.write_all(line.as_bytes()).map_err(|e| e.to_string())
    }
}

fn try_all(
    args: &Args,
    sources: &[Source],
    all: &[Mutant],
    chosen: &[Mutant],
    knowns: &[Known],
    ledger: &Ledger,
    scratch: &Path,
) -> Result<(Vec<Outcome>, usize), String> {
    let deadline = args.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (next, outcomes, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(None));
    let one = |index: usize, mutant: &Mutant| -> Result<Outcome, String> {
        let text = mutant::hash(&sources[mutant.file].text, 1);
        if let Some(outcome) = ledger.known(&mutant.name, text) {
            return Ok(outcome.clone());
        }
        let first = all.iter().find(|other| (other.file, other.site) == (mutant.file, mutant.site));
        let first = first.map_or(mutant.number, |mutant| mutant.number);
        let mut outcome = Outcome {
            name: mutant.name.clone(),
            line: mutant.line,
            found_by: None,
            reached: false,
            is_named: mutant.is_named,
            text,
            programs: ledger.programs,
        };
        for known in knowns.iter().filter(|known| known.reaches.contains(&first)) {
            if mutant.is_named && !scope::must_find(&known.program.name, &sources[mutant.file].path) {
                continue;
            }
            outcome.reached = true;
            let ended = match mutant.is_named && known.program.name == scope::PROGRAM {
                true => run::simulate(known, mutant.number, scratch)?,
                false => run::try_out(known, mutant.number, scratch)?,
            };
            let test = match ended {
                Ended::Failed(test) => test,
                Ended::Late if !mutant.is_named => "it does not end".to_owned(),
                Ended::Late | Ended::Passed => continue,
            };
            outcome.found_by = Some(format!("{}: {test}", known.program.name));
            break;
        }
        ledger.note(&outcome)?;
        let how = outcome.found_by.as_deref().unwrap_or("SURVIVED");
        println!("[{}/{}] {}: {how}", index + 1, chosen.len(), mutant.name);
        Ok(outcome)
    };
    let work = || {
        while deadline.is_none_or(|deadline| Instant::now() < deadline) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(mutant) = chosen.get(index) else { break };
            match one(index, mutant) {
                Ok(outcome) => outcomes.lock().map(|mut all| all.push(outcome)).unwrap_or_default(),
                Err(error) => {
                    failed.lock().map(|mut failed| *failed = Some(error)).unwrap_or_default();
                    break;
                }
            }
        }
    };
    std::thread::scope(|scope| (0..args.jobs).for_each(|_| drop(scope.spawn(work))));
    if let Ok(Some(error)) = failed.into_inner() {
        return Err(error);
    }
    let mut outcomes = outcomes.into_inner().map_err(|_| "a thread panicked".to_owned())?;
    outcomes.sort_by(|a, b| a.name.cmp(&b.name));
    let untried = chosen.len() - outcomes.len();
    Ok((outcomes, untried))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    /// The lists name code by its text: whoever renames something is told here, and not in an hour.
    #[test]
    fn the_lists_name_what_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let sources = read(&root).unwrap();
        equivalent(&root, &sources).unwrap();
    }
}
