use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::engine::BrowserEngine;
use super::wire::Wire;
use super::{display::Display, tree};
use crate::{Error, Result, port};

/// How long a driver may take until it answers.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// The end of the log that an error shows.
const LOG_TAIL_BYTES: usize = 2000;

/// A driver that runs, and everything it started. They end with this.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
    _display: Option<Display>,
}

impl Process {
    /// Starts the driver and waits until it answers. What it and its browser write goes to `folder`.
    pub(super) async fn start(engine: BrowserEngine, folder: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new(format!("the driver of {engine} does not start"), e);
        let log = folder.join("driver.log");
        let out = File::create(&log).map_err(failed)?;
        let listener = port::listen().map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let display = if engine == BrowserEngine::WebKit { Some(Display::open().await?) } else { None };
        let mut command = Command::new(engine.driver()?);
        command
            .arg(format!("--port={}", address.port()))
            // Else a killed browser leaves its sockets and scraps with the machine's.
            .env("TMPDIR", folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone().map_err(failed)?)
            .stderr(out);
        if engine == BrowserEngine::Firefox {
            // Its default is one fixed port, which a second driver would not get.
            command.arg("--websocket-port=0");
        }
        if let Some(display) = &display {
            command
                .env("DISPLAY", display.name())
                .env_remove("WAYLAND_DISPLAY")
                // There is no graphics card behind that screen.
                .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
                .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
                .env("LIBGL_ALWAYS_SOFTWARE", "1");
        }
        drop(listener);
        let child = command.spawn().map_err(failed)?;
        let mut process = Self { child, address, log, _display: display };
        process.answers().await?;
        Ok(process)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The browser's processes, nearest to the driver first.
    pub(super) fn browser(&self) -> Vec<u32> {
        tree::below(self.child.id())
    }

    /// An error with the end of the driver's log.
    pub(super) fn told(&self, what: String, cause: impl std::fmt::Display) -> Error {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let tail = String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(LOG_TAIL_BYTES)..]).into_owned();
        Error::new(what, format!("{cause}; the end of the driver's log:\n{tail}"))
    }

    async fn answers(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            let ended = self.child.try_wait().map_err(|e| Error::new("the driver cannot be watched", e))?;
            if let Some(status) = ended {
                return Err(self.told("the driver".into(), format!("it ended with {status}")));
            }
            if Wire::new(self.address).ask("GET", "/status", None, LIMIT).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(self.told("the driver".into(), format!("no answer within {} s", LIMIT.as_secs())))
    }
}

/// SIGKILL for all of them, and a wait until they are gone: a folder of theirs can be removed, or opened
/// by the next.
impl Drop for Process {
    fn drop(&mut self) {
        let browser = self.browser();
        // The driver first: it must not start another one, or tidy up behind one that died.
        // These fail only if it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        tree::kill(&browser);
    }
}
