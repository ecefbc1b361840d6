use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::engine::in_path;
use crate::{Error, Result};

const LIMIT: Duration = Duration::from_secs(20);

/// A screen that nobody sees, for browsers that must have one. It ends with this.
#[derive(Debug)]
pub(super) struct Display {
    name: String,
    _server: Option<Child>,
}

impl Display {
    /// An Xvfb at a number of its own choice; without one, the screen that is there.
    pub(super) async fn open() -> Result<Self> {
        if in_path("Xvfb").is_some() {
            return Self::start().await;
        }
        match std::env::var("DISPLAY") {
            Ok(name) if !name.is_empty() => Ok(Self { name, _server: None }),
            _ => Err(Error::new("no screen for WebKit", "install Xvfb (Debian: apt-get install xvfb)")),
        }
    }

    /// The value of `DISPLAY`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    async fn start() -> Result<Self> {
        let failed = |cause: &dyn std::fmt::Display| Error::new("Xvfb does not start", cause);
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|e| failed(&e))?;
        let out = server.stdout.take().ok_or_else(|| failed(&"it has no output"))?;
        let mut line = String::new();
        let read = tokio::time::timeout(LIMIT, BufReader::new(out).read_line(&mut line)).await;
        read.map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
        match line.trim().parse::<u32>() {
            Ok(number) => Ok(Self { name: format!(":{number}"), _server: Some(server) }),
            Err(_) => Err(failed(&"it names no display")),
        }
    }
}
