//! The processes of some cases: they are killed, or write while others do.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cases::kill;
use super::{Durable, steps::sealed};
use crate::conformance::{Failure, Outcome};
use crate::{Error, Progress, Result};

/// Tells a process that it is a child, its task, and its store.
const ROLE: &str = "HAOS_DURABLE_CHILD";
const STORE: &str = "HAOS_DURABLE_STORE";

/// A child's line when all is written.
pub(super) const WRITTEN: &str = "written";

/// Makes a command that runs one test of this test binary alone, by its path within the crate.
///
/// # Errors
/// If the binary cannot be found.
pub fn this_test(name: &str) -> Result<Command> {
    let binary = std::env::current_exe().map_err(|e| Error::io("test", "the binary is unknown", e))?;
    let mut command = Command::new(binary);
    command.args(["--exact", name, "--nocapture"]);
    Ok(command)
}

/// Does the task of the case that started this process; otherwise nothing.
///
/// # Panics
/// If that fails.
pub async fn child(harness: &Durable) {
    let (Ok(role), Ok(store)) = (std::env::var(ROLE), std::env::var(STORE)) else { return };
    let path = PathBuf::from(store);
    let outcome = match role.as_str() {
        "write" => kill::write(harness, &path, false).await,
        "rotate" => kill::write(harness, &path, true).await,
        "unseal" => unseal(harness, &path).await,
        _ => Err(Failure::new("no such child")),
    };
    super::give_up_on(outcome, &role);
}

/// Unseals, and waits for its end when all rows are written.
async fn unseal(harness: &Durable, path: &Path) -> Outcome {
    let Some(sealing) = harness.sealing() else { return Ok(()) };
    let progress = Progress::to(|done, total| {
        if done == total {
            let _ = say(WRITTEN);
            loop {
                std::thread::park();
            }
        }
    });
    sealing.unseal(sealed(path), progress).await?;
    Ok(())
}

/// Prints a line for the parent.
pub(super) fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}")?;
    out.flush()
}

/// A process that is killed when the value goes.
pub(super) struct Child(std::process::Child);

impl Child {
    pub(super) fn start(harness: &Durable, role: &str, path: &Path) -> Result<Self, Failure> {
        let mut command = harness.child();
        command.env(ROLE, role).env(STORE, path).stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    /// Returns its lines from now on. Callable once.
    pub(super) fn lines(&mut self) -> impl Iterator<Item = String> + use<> {
        let lines = self.0.stdout.take().map(|out| BufReader::new(out).lines());
        lines.into_iter().flatten().map_while(Result::ok)
    }

    pub(super) fn kill(&mut self) -> std::io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
