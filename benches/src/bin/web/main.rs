//! Stores of messages in one browser page: haos, plain and sealed, IndexedDB by hand, Dexie and SQLite, in turns.
//!
//! ```sh
//! cargo xtask bench web                        # installs what is missing, then runs this
//! cargo run -p haos-benches --bin web          # with browsers, drivers, wasm-bindgen and npm in the path
//!     --engines chromium,firefox --contenders haos,dexie --rounds 9 --scale --write
//! ```
//!
//! The measurements, and what is unfair to whom, are in `docs/benchmarks-web.md`, which `--write` writes. This
//! program only drives: all that is timed runs in the browser.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod args;
mod build;
mod drive;
mod figures;
mod goal;
mod report;

use std::path::Path;
use std::process::ExitCode;

use args::Args;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    // Beside `debug` and `release`, so that it goes with `cargo clean`.
    let target = program.ancestors().nth(2).ok_or("this program lies in no target folder")?;
    let built = build::build(target, args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let engines = runtime.map_err(|e| e.to_string())?.block_on(drive::engines(&built, args));
    let text = report::markdown(&built, args, &engines.map_err(|e| e.to_string())?);
    println!("{text}");
    if args.write {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks-web.md");
        std::fs::write(&file, &text).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(())
}
