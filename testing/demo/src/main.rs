//! `cargo demo`: the store's main job, with kills in the middle, checked against what the server said.

#![deny(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod args;
mod captures;
mod child;
mod offline;
mod reading;
mod second;
mod steps;
mod story;
mod truth;
mod verify;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use haos_cli::parts::{Error, Out, Result, clean, command, haos, number, why};

use args::DemoArgs;
use captures::Captures;
use offline::Real;
use steps::Demo;
use story::Story;
use truth::Truth;

/// The first word of a process that is all of `haos`, as an import is.
const HAOS: &str = "haos";
/// The first word of a process that writes or sends.
const PART: &str = "part";

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    // The demo starts its own parts so, and no command for people.
    match args.get(1).and_then(|word| word.to_str()) {
        Some(HAOS) => haos(args.into_iter().skip(1)),
        Some(PART) => command(args.into_iter().skip(1), |_| true, offline::run_part),
        _ => command(args, |args: &DemoArgs| args.json, run),
    }
}

/// Runs the demo in a folder of its own.
async fn run(args: DemoArgs, out: &mut Out) -> Result<()> {
    let begun = Instant::now();
    let (folder, temporary) = folder(args.dir.as_deref())?;
    let truth = Truth::read()?;
    let store = folder.join("chat.db");
    let mut story = Story::new(out);
    story.say(format_args!(
        "haos demo: {} events of one account, captured from a real homeserver",
        number(truth.events() as u64)
    ))?;
    if temporary.is_none() {
        story.say(format_args!("store: {}", clean(&store.display().to_string())))?;
    }
    // Whoever cannot be reached or logged in is told so first.
    let mut real = Real::arrive(&args, &folder, &mut story).await?;
    let captures = Captures::write(&folder)?;
    let mut demo = Demo { captures: &captures, truth: &truth, store, story: &mut story };
    let shown = match demo.run().await {
        Ok(()) => offline::run(&folder, real.as_mut(), &mut story).await,
        failed => failed,
    };
    let left = match real {
        Some(real) => real.depart(&folder, &mut story).await,
        None => Ok(()),
    };
    shown.and(left)?;
    story.end(begun.elapsed())
}

/// The folder to work in; a temporary one is removed when its guard is dropped.
fn folder(wanted: Option<&Path>) -> Result<(PathBuf, Option<tempfile::TempDir>)> {
    let Some(wanted) = wanted else {
        let temporary = tempfile::Builder::new().prefix("haos-demo-").tempdir();
        let temporary =
            temporary.map_err(|e| Error::Failed(format!("no temporary folder: {e}; name one with --dir")))?;
        return Ok((temporary.path().to_owned(), Some(temporary)));
    };
    let shown = wanted.display();
    let fault = |e: std::io::Error| Error::Failed(format!("the folder {shown} cannot be used: {}", why(&e)));
    std::fs::create_dir_all(wanted).map_err(fault)?;
    if std::fs::read_dir(wanted).map_err(fault)?.next().is_some() {
        return Err(Error::Input(format!("the folder {shown} is not empty: name a new one with --dir")));
    }
    Ok((wanted.to_owned(), None))
}
