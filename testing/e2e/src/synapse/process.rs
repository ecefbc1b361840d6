use std::fs::{self, File, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::folder::Folder;
use crate::plain::Ask;
use crate::{Error, Result};

/// The folder of a Python environment that has Synapse.
const PYTHON: &str = "HAOS_SYNAPSE";
/// Synapse as a module. It ends when its standard input does, and its folder goes: so it does not outlive
/// who started it, not even one that was killed.
const LAUNCH: &str = "\
import os, runpy, shutil, threading
def watch():
    os.read(0, 1)
    if 'HAOS_E2E_KEEP' not in os.environ:
        shutil.rmtree(os.getcwd(), ignore_errors=True)
    os._exit(1)
threading.Thread(target=watch, daemon=True).start()
runpy.run_module('synapse.app.homeserver', run_name='__main__', alter_sys=True)
";
/// How long a start or an orderly stop may take.
const LIMIT: Duration = Duration::from_secs(90);
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The end of the log that an error shows.
const LOG_TAIL_BYTES: usize = 4000;

/// A Synapse that runs. It ends with this.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    log: PathBuf,
    /// To be removed when it has ended.
    leavings: Vec<PathBuf>,
}

impl Process {
    /// Starts the server and waits until it answers.
    pub(super) async fn start(folder: &Folder, address: SocketAddr, clock: Option<&Clock>) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("Synapse does not start", e);
        let log = folder.file("synapse.log");
        let out: File = OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
        let mut command = Command::new(python()?);
        command
            .args(["-c", LAUNCH, "-c"])
            .arg(folder.file("homeserver.yaml"))
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(out.try_clone().map_err(failed)?)
            .stderr(out);
        if let Some(clock) = clock {
            clock.pass_to(&mut command);
        }
        let child = command.spawn().map_err(failed)?;
        let leavings = clock.map_or_else(Vec::new, |_| Clock::leavings(child.id()).into());
        let mut process = Self { child, log, leavings };
        process.answers(address).await?;
        Ok(process)
    }

    async fn answers(&mut self, address: SocketAddr) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            if let Some(status) = self.ended()? {
                return Err(self.told(format!("it ended with {status}")));
            }
            if Ask::new("GET", "/_matrix/client/versions", &[]).send(address).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.told(format!("no answer within {} s", LIMIT.as_secs())))
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits until it has.
    pub(super) async fn stop(mut self) -> Result<()> {
        #[cfg(unix)]
        {
            let id = rustix::process::Pid::from_child(&self.child);
            rustix::process::kill_process(id, rustix::process::Signal::TERM)
                .map_err(|e| Error::new("Synapse cannot be stopped", e))?;
        }
        #[cfg(not(unix))]
        self.child.kill().map_err(|e| Error::new("Synapse cannot be stopped", e))?;
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            if self.ended()?.is_some() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.told(format!("it does not end within {} s of being asked to", LIMIT.as_secs())))
    }

    fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        self.child.try_wait().map_err(|e| Error::new("Synapse cannot be watched", e))
    }

    fn told(&self, cause: String) -> Error {
        Error::new("Synapse", format!("{cause}; the end of its log:\n{}", tail(&self.log)))
    }
}

/// SIGKILL where there are signals. That the data is whole afterwards is the server's business.
impl Drop for Process {
    fn drop(&mut self) {
        // These fail only if it has ended, and cleaned up.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for file in &self.leavings {
            let _ = fs::remove_file(file);
        }
    }
}

fn python() -> Result<PathBuf> {
    let missing = |cause: String| {
        Error::new("no Synapse", format!("{cause}; `cargo xtask e2e` makes one and runs the tests with it"))
    };
    let folder = std::env::var_os(PYTHON).ok_or_else(|| missing(format!("{PYTHON} is not set")))?;
    let program = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let python = Path::new(&folder).join(program);
    if python.is_file() { Ok(python) } else { Err(missing(format!("{} is missing", python.display()))) }
}

fn tail(log: &Path) -> String {
    let bytes = fs::read(log).unwrap_or_default();
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned()
}
