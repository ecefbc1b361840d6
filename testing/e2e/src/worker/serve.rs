use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::client::Active;
use super::command::{Numbered, Said, WorkerCommand};
use super::plan::WorkerPlan;
use crate::{Error, Result};

/// Runs this process as a worker, until its input ends or it is told to stop.
pub fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.map_err(|e| Error::new("tokio", e)).and_then(|runtime| runtime.block_on(obey()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say(&Said::Failed { failed: e.to_string() });
            ExitCode::FAILURE
        }
    }
}

async fn obey() -> Result<()> {
    let mut lines = lines();
    let Some(first) = lines.recv().await else { return Ok(()) };
    let plan: WorkerPlan = serde_json::from_str(&first).map_err(|e| Error::new("the plan", e))?;
    let active = tokio::select! {
        active = Active::start(plan) => Arc::new(active?),
        // It ends with whoever started it. Commands wait until it is ready.
        () = lines.closed() => return Ok(()),
    };
    let session = active.client.session();
    say(&Said::Ready {
        ready: json!({
            "user": session.user.as_str(), "device": session.device, "resumed": active.resumed,
        }),
    });
    while let Some(line) = lines.recv().await {
        let Numbered { id, command } =
            serde_json::from_str(&line).map_err(|e| Error::new("a command", format!("{e}: {line}")))?;
        if command.waits() {
            let active = Arc::clone(&active);
            tokio::spawn(async move { tell(id, active.act(command).await) });
            continue;
        }
        let ends = matches!(command, WorkerCommand::Stop);
        tell(id, active.act(command).await);
        if ends {
            return Ok(());
        }
    }
    active.stop().await
}

fn tell(id: u64, outcome: Result<Value>) {
    say(&match outcome {
        Ok(done) => Said::Done { id, done },
        Err(error) => Said::Error { id, error: error.to_string() },
    });
}

/// One write a line. A reader that is gone will close the input, too.
fn say(said: &Said) {
    if let Ok(line) = serde_json::to_string(said) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(format!("{line}\n").as_bytes());
        let _ = out.flush();
    }
}

/// The lines of the standard input, read by a thread that nobody waits for.
fn lines() -> Lines {
    let (lines, read) = unbounded_channel();
    let (open, closed) = tokio::sync::watch::channel(());
    std::thread::spawn(move || {
        let _open = open;
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    Lines { read, closed }
}

struct Lines {
    read: UnboundedReceiver<String>,
    closed: tokio::sync::watch::Receiver<()>,
}

impl Lines {
    async fn recv(&mut self) -> Option<String> {
        self.read.recv().await
    }

    /// Ends when the input does.
    async fn closed(&self) {
        let mut closed = self.closed.clone();
        while closed.changed().await.is_ok() {}
    }
}
