//! How large what a browser loads is, and whether it works in halves.
//!
//! ```sh
//! cargo xtask size                        # installs what is missing, then runs this
//! cargo xtask size --front                # and what the front door adds
//! cargo xtask size --bless                # takes the sizes as the budget
//! ```
//!
//! It builds the least module that a frontend ships, sees in Chromium which functions a first page needs, splits by that,
//! tries the halves there, and compares what all weighs with `benches/size/budget.txt`.

mod budget;
mod halves;
mod module;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use budget::Budget;
use haos_bundle::Bundle;
use module::Module;

/// The package that is weighed.
const PACKAGE: &str = "haos-size";
/// The name of its files.
const NAME: &str = "haos_size";
/// Parts under this are told together.
const SMALL: usize = 2048;

type Result<T = ()> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let (mut front, mut bless) = (false, false);
    for word in env::args().skip(1) {
        match word.as_str() {
            "--front" => front = true,
            "--bless" => bless = true,
            _ => {
                eprintln!("usage: haos-weigh [--front] [--bless]");
                return ExitCode::from(2);
            }
        }
    }
    match run(front, bless) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(front: bool, bless: bool) -> Result {
    let program = env::current_exe().map_err(|e| e.to_string())?;
    // Beside `debug` and `release`, so that it goes with `cargo clean`.
    let target = program.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    let folder = target.join("size");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("../size");

    let store = Bundle::build(target, PACKAGE, &[]).map_err(|e| e.to_string())?;
    let split = folder.join("halves");
    let first = halves::split(&store, &sources.join("page"), &folder.join("watched"), &split)?;
    let file = |folder: &PathBuf, end: &str| folder.join(format!("{NAME}{end}"));
    println!("{:44} {:>9} {:>9}", "bytes", "as it is", "gzip -9");
    let glue = weigh("glue", &file(&split, ".js"))?;
    let first_half = weigh("first half", &file(&split, "_bg.wasm"))?;
    let rest = weigh("the rest", &file(&split, "_rest.wasm"))?;

    let module = named(&store)?;
    list(&module, &first, &folder.join("first.txt"))?;
    let (in_first, in_rest) = parts(&module, Some(&first));
    print_parts("the first half", &in_first);
    print_parts("the rest", &in_rest);

    let all = glue + first_half + rest;
    let mut weights = vec![
        ("first page: glue and first half", glue + first_half, 120),
        ("store, outbox and sealing: that and the rest", all, 280),
    ];
    if front {
        let front = Bundle::build(target, PACKAGE, &["front"]).map_err(|e| e.to_string())?;
        let whole = folder.join("front");
        front.whole(&whole).map_err(|e| e.to_string())?;
        let glue = weigh("glue with the front door", &file(&whole, ".js"))?;
        let module = weigh("module with the front door", &file(&whole, "_bg.wasm"))?;
        let mut both = in_first;
        in_rest.into_iter().for_each(|(name, size)| *both.entry(name).or_default() += size);
        print_parts("what the front door adds", &beyond(&parts(&named(&front)?, None).0, &both));
        weights.push(("what the front door adds", (glue + module).saturating_sub(all), 60));
    }
    println!("\n{:44} {:>9} {:>9} {:>9}", "bytes, gzip -9", "now", "budget", "goal");
    Budget::at(&sources.join("budget.txt")).check(&weights, bless)
}

/// The bytes of each crate's code, and of the data, uncompressed: of the functions of these numbers, and of the others.
type Parts = BTreeMap<String, usize>;

fn parts(module: &Module, first: Option<&BTreeSet<u32>>) -> (Parts, Parts) {
    let (mut in_first, rest) =
        names::by_crate(module, |number| first.is_none_or(|first| first.contains(&number)));
    in_first.insert("(data)".to_owned(), module.data);
    (in_first, rest)
}

fn named(bundle: &Bundle) -> Result<Module> {
    Module::read(&bundle.named).map_err(|e| format!("wasm-opt wrote a module that cannot be read: {e}"))
}

/// Writes the functions of the first half into a file, each with its bytes, the largest first.
fn list(module: &Module, first: &BTreeSet<u32>, file: &Path) -> Result {
    let mut all: Vec<_> = module.functions().filter(|(number, _, _)| first.contains(number)).collect();
    all.sort_by_key(|(_, _, size)| std::cmp::Reverse(*size));
    let lines: String = all.iter().map(|(_, name, size)| format!("{size:>7} {name}\n")).collect();
    fs::write(file, lines).map_err(|e| format!("{}: {e}", file.display()))
}

/// Returns what each part has more than another module's.
fn beyond(parts: &Parts, other: &Parts) -> Parts {
    let more = |(name, size): (&String, &usize)| {
        let before = other.get(name).copied().unwrap_or_default();
        Some((name.clone(), size.checked_sub(before).filter(|more| *more > 0)?))
    };
    parts.iter().filter_map(more).collect()
}

/// Prints the size of a file, as it is and compressed; gives the latter.
fn weigh(what: &str, file: &Path) -> Result<usize> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?.len();
    let gzip = Command::new("gzip").args(["-9", "-c"]).arg(file).output();
    let packed =
        gzip.ok().filter(|done| done.status.success()).ok_or("gzip is missing or fails: install it")?;
    println!("{what:44} {bytes:>9} {:>9}", packed.stdout.len());
    Ok(packed.stdout.len())
}

/// Prints which crates the code is of, the largest first.
fn print_parts(of: &str, parts: &Parts) {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(**size));
    println!("\n{of}, uncompressed:");
    let (large, small): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(_, size)| **size >= SMALL);
    for (name, size) in large {
        println!("  {name:42} {size:>9}");
    }
    let rest: usize = small.iter().map(|(_, size)| **size).sum();
    println!("  {:42} {rest:>9}", format!("{} smaller parts", small.len()));
}
