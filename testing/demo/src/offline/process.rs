//! The processes, seen from the one that starts and kills them.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use haos_cli::parts::{Error, Result};

use super::part::{Said, most};
use super::server::Way;
use crate::PART;

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// A part under way. It ends with this, whatever happens.
pub(super) struct Process {
    child: Child,
    out: BufReader<ChildStdout>,
    most: Duration,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    pub(super) fn start(part: &str, folder: &Path, way: &Way) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| failed("has no program", &e))?;
        let mut command = Command::new(program);
        command.args([PART, part, "--folder"]).arg(folder);
        if let Some(address) = way.address {
            command.args(["--address", &address.to_string()]);
        }
        // One word each: an id may begin with anything.
        command.args(way.rooms.iter().map(|room| format!("--room={room}")));
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| failed("does not start", &e))?;
        let out = child.stdout.take().map(BufReader::new);
        let out =
            out.ok_or_else(|| Error::Failed("a process of the demo cannot be listened to".to_owned()))?;
        Ok(Self { child, out, most: most(way.address.is_none()) })
    }

    /// Waits for its next word; `None` once it has ended.
    pub(super) fn listen(&mut self) -> Result<Option<Said>> {
        let mut line = String::new();
        let read = self.out.by_ref().take(1 << 16).read_line(&mut line);
        if read.map_err(|e| failed("cannot be listened to", &e))? == 0 {
            return Ok(None);
        }
        let said = serde_json::from_str(&line);
        said.map(Some).map_err(|e| Error::Failed(format!("a process of the demo said {line:?}: {e}")))
    }

    /// Kills it, without a chance to clean up (SIGKILL on Unix), as soon as it is time; gives its number, or
    /// none if it had done all its work by then.
    pub(super) async fn kill_when(
        mut self,
        mut time: impl AsyncFnMut() -> Result<bool>,
    ) -> Result<Option<u32>> {
        let begun = Instant::now();
        while !time().await? {
            match self.child.try_wait().map_err(|e| failed("cannot be looked at", &e))? {
                Some(status) if status.success() => return Ok(None),
                Some(status) => return Err(Error::Failed(format!("a process of the demo failed: {status}"))),
                None => {}
            }
            if begun.elapsed() > self.most {
                return Err(Error::Failed("WRONG: nothing more arrives at the server".to_owned()));
            }
            tokio::time::sleep(LOOK).await;
        }
        let pid = self.child.id();
        self.child.kill().map_err(|e| failed("cannot be killed", &e))?;
        let status = self.child.wait().map_err(|e| failed("cannot be waited for", &e))?;
        Ok((!status.success()).then_some(pid))
    }

    /// Lets it run to its end.
    pub(super) fn finish(mut self) -> Result<()> {
        let mut last = None;
        while let Some(said) = self.listen()? {
            last = Some(said);
        }
        let status = self.child.wait().map_err(|e| failed("cannot be waited for", &e))?;
        match last {
            Some(Said::Drained) if status.success() => Ok(()),
            _ => Err(Error::Failed(format!("WRONG: the outbox does not become empty: {status}"))),
        }
    }
}

fn failed(what: &str, e: &std::io::Error) -> Error {
    Error::Failed(format!("a process of the demo {what}: {e}"))
}
