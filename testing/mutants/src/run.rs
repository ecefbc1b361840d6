//! Runs test programs, each in a group of processes of its own, for a bounded time and in bounded memory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::switch::{MADE, SEEN};
use crate::tree::Program;

/// How much of their soaking tests do here: what finds a mistake finds it early.
const SOAK: [(&str, &str); 3] = [("HAOS_SCRIPTS", "60"), ("HAOS_SEEDS", "300"), ("HAOS_KILLS", "2")];
/// A test program that takes longer is left out.
pub(crate) const LONGEST: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(10);
/// How often to look whether a test has failed.
const LOOK: Duration = Duration::from_millis(200);
/// The most memory of a process, in KiB: some mistakes allocate for ever.
const MEMORY_KIB: u32 = 6 << 20;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    /// The test that failed, where the program says so.
    Failed(String),
    Late,
}

/// A program, how long it takes, and the places that it reaches.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) program: Program,
    pub(crate) took: Duration,
    /// First numbers of places.
    pub(crate) reaches: std::collections::BTreeSet<u32>,
}

/// Runs a program without a mistake.
///
/// # Errors
/// If it does not pass: then it finds nothing.
pub(crate) fn learn(program: &Program, scratch: &Path) -> Result<Option<Known>, String> {
    let seen = scratch.join(format!("seen-{}", program.name.replace('/', "-")));
    let _ = fs::remove_dir_all(&seen);
    fs::create_dir_all(&seen).map_err(|e| format!("{}: {e}", seen.display()))?;
    let begun = Instant::now();
    let env = BTreeMap::from([(SEEN, seen.display().to_string())]);
    match run(program, &env, LONGEST, scratch)? {
        Ended::Late => return Ok(None),
        Ended::Failed(test) => {
            return Err(format!("{} fails without any mistake: {test}; mend it first", program.name));
        }
        Ended::Passed => {}
    }
    let took = begun.elapsed();
    let names = fs::read_dir(&seen).map_err(|e| format!("{}: {e}", seen.display()))?.flatten();
    let reaches = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    let _ = fs::remove_dir_all(&seen);
    Ok(Some(Known { program: program.clone(), took, reaches }))
}

/// Runs a program with one mistake.
pub(crate) fn try_out(known: &Known, mutant: u32, scratch: &Path) -> Result<Ended, String> {
    let limit = known.took * 4 + Duration::from_secs(10);
    run(&known.program, &BTreeMap::from([(MADE, mutant.to_string())]), limit, scratch)
}

/// Runs the simulation with one mistake, over as many seeds as are run without any.
pub(crate) fn simulate(known: &Known, mutant: u32, scratch: &Path) -> Result<Ended, String> {
    let env = BTreeMap::from([(MADE, mutant.to_string()), ("HAOS_SEEDS", "2000".to_owned())]);
    run(&known.program, &env, known.took * 20 + Duration::from_secs(10), scratch)
}

fn run(
    program: &Program,
    env: &BTreeMap<&str, String>,
    limit: Duration,
    scratch: &Path,
) -> Result<Ended, String> {
    let io = |e: std::io::Error| format!("{} cannot be run: {e}", program.name);
    let out = scratch.join(format!("out-{:?}", std::thread::current().id()));
    let file = File::create(&out).map_err(io)?;
    let limited = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.arg("-c").arg(limited).arg(&program.path).args(["--test-threads", "2"]);
    command.current_dir(&program.folder).envs(SOAK).envs(env);
    command.env("CARGO_MANIFEST_DIR", &program.folder).stdin(Stdio::null());
    command.stdout(file.try_clone().map_err(io)?).stderr(file);
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut child = command.spawn().map_err(io)?;
    let begun = Instant::now();
    let mut looked = begun;
    let read = || String::from_utf8_lossy(&fs::read(&out).unwrap_or_default()).into_owned();
    let status = loop {
        match child.try_wait().map_err(io)? {
            Some(status) => break Some(status),
            None if begun.elapsed() >= limit => break None,
            None => std::thread::sleep(PAUSE),
        }
        // One failed test is enough; the others may take their time.
        if looked.elapsed() >= LOOK {
            looked = Instant::now();
            if let Some(test) = read().lines().find_map(failed_in) {
                end_group(&mut child);
                return Ok(Ended::Failed(test.to_owned()));
            }
        }
    };
    end_group(&mut child);
    Ok(match status {
        None => Ended::Late,
        Some(status) if status.success() => Ended::Passed,
        Some(_) => Ended::Failed(failed(&read())),
    })
}

/// Ends a program, and what it has started and left running.
fn end_group(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// The test that a line names as failed.
fn failed_in(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

/// The first test that a program names as failed.
fn failed(text: &str) -> String {
    let line = text.lines().find_map(failed_in);
    let last = || text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it printed nothing");
    line.unwrap_or_else(last).to_owned()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn program(script: &str, folder: &Path) -> Program {
        use std::os::unix::fs::PermissionsExt as _;
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        Program { name: "a/b".into(), path, folder: folder.to_owned() }
    }

    #[test]
    fn ends_are_told_apart_and_places_are_learned() {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "[ -z \"${SEEN}\" ] || touch \"${SEEN}/7\"\n\
             case \"${MADE}\" in 1) echo 'test a::b ... FAILED'; exit 1;; 2) sleep 60;; 3) kill -SEGV $$;; esac"
        );
        let known = learn(&program(&script, folder.path()), folder.path()).unwrap().unwrap();
        assert_eq!(known.reaches, [7].into());
        let out = |mutant| try_out(&known, mutant, folder.path()).unwrap();
        assert_eq!(out(0), Ended::Passed);
        assert_eq!(out(1), Ended::Failed("a::b".into()));
        assert!(matches!(out(3), Ended::Failed(_)));
        let hangs = program("sleep 60 & wait", folder.path());
        let limit = Duration::from_millis(50);
        assert_eq!(run(&hangs, &BTreeMap::new(), limit, folder.path()), Ok(Ended::Late));
        let fails = learn(&program("exit 3", folder.path()), folder.path());
        assert!(fails.unwrap_err().contains("mend it first"));
    }
}
