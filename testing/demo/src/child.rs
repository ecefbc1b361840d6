//! Imports in a process of their own, so that it can be killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use haos_cli::parts::{Error, Result};
use serde::Deserialize;

use crate::HAOS;

/// When to kill it, without a chance to clean up (SIGKILL on Unix).
pub(super) enum Kill<'a> {
    Never,
    /// So long after it said that this line is done: in the middle of a later one.
    AfterLine(u64, Duration),
    /// When this file is there.
    AtFile(&'a Path),
}

/// The end of a child.
pub(super) enum Ended {
    Killed { pid: u32 },
    Done(Told),
}

/// The output of `haos import --json`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Told {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    line: u64,
    pub(super) responses: u64,
    pub(super) skipped: u64,
    pub(super) events: u64,
    pub(super) gaps_opened: u64,
    pub(super) gaps_closed: u64,
    #[serde(default)]
    pub(super) seconds: f64,
}

/// Ends the process, whatever happens.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `haos import` of one file.
pub(super) fn import(store: &Path, file: &Path, flags: &[&str], kill: &Kill<'_>) -> Result<Ended> {
    let failed = |what: &str, e: std::io::Error| Error::Failed(format!("the import's process {what}: {e}"));
    let program = std::env::current_exe().map_err(|e| failed("has no program", e))?;
    let child = Command::new(program)
        .args([HAOS, "--json", "--store", &format!("sqlite:{}", store.display()), "import"])
        .args(flags)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = Guard(child.map_err(|e| failed("does not start", e))?);
    if let Kill::AtFile(path) = kill {
        while !path.exists() && matches!(child.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_micros(200));
        }
        return end(child, Told::default(), true);
    }
    let stdout = child.0.stdout.take().map(BufReader::new);
    let mut last = Told::default();
    for line in stdout.into_iter().flat_map(BufReader::lines) {
        let line = line.map_err(|e| failed("cannot be listened to", e))?;
        last = serde_json::from_str(&line)
            .map_err(|e| Error::Failed(format!("the import said {line:?}: {e}")))?;
        if let Kill::AfterLine(at, delay) = kill
            && last.kind == "progress"
            && last.line >= *at
        {
            std::thread::sleep(*delay);
            return end(child, last, true);
        }
    }
    end(child, last, false)
}

fn end(mut child: Guard, last: Told, kill: bool) -> Result<Ended> {
    let failed = |e: std::io::Error| Error::Failed(format!("the import's process cannot be ended: {e}"));
    let pid = child.0.id();
    if kill {
        child.0.kill().map_err(failed)?;
    }
    let status = child.0.wait().map_err(failed)?;
    match (status.success(), kill) {
        (false, true) => Ok(Ended::Killed { pid }),
        (true, _) => Ok(Ended::Done(last)),
        (false, false) => Err(Error::Failed(format!("the import failed: {status}"))),
    }
}
