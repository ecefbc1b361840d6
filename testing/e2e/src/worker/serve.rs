use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::client::Active;
use super::command::{Numbered, Said};
use super::plan::WorkerPlan;
use crate::{Error, Result};

/// A client of a process, which does what it is told.
pub(crate) trait Obedient: Send + Sync + Sized + 'static {
    /// An order to it.
    type Command: DeserializeOwned + Send;

    /// Opens its store, and runs.
    fn start(plan: WorkerPlan) -> impl Future<Output = Result<Self>>;

    /// What it says once it runs.
    fn ready(&self) -> Value;

    /// Tells if a command may take long, and others should not wait for it.
    fn waits(command: &Self::Command) -> bool;

    /// Tells if nothing comes after a command.
    fn ends(command: &Self::Command) -> bool;

    /// Does what a command says.
    fn act(&self, command: Self::Command) -> impl Future<Output = Result<Value>> + Send;

    /// Stops, and closes the store.
    fn stop(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Runs this process as a worker, until its input ends or it is told to stop.
pub fn serve() -> ExitCode {
    run::<Active>()
}

/// Runs this process as a client, until its input ends or it is told to stop.
pub(crate) fn run<C: Obedient>() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome =
        runtime.map_err(|e| Error::new("tokio", e)).and_then(|runtime| runtime.block_on(obey::<C>()));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say(&Said::Failed { failed: e.to_string() });
            ExitCode::FAILURE
        }
    }
}

async fn obey<C: Obedient>() -> Result<()> {
    let mut lines = lines();
    let Some(first) = lines.recv().await else { return Ok(()) };
    let plan: WorkerPlan = serde_json::from_str(&first).map_err(|e| Error::new("the plan", e))?;
    let client = tokio::select! {
        client = C::start(plan) => Arc::new(client?),
        // It ends with whoever started it. Commands wait until it is ready.
        () = lines.closed() => return Ok(()),
    };
    say(&Said::Ready { ready: client.ready() });
    while let Some(line) = lines.recv().await {
        let Numbered { id, command } = serde_json::from_str::<Numbered<C::Command>>(&line)
            .map_err(|e| Error::new("a command", format!("{e}: {line}")))?;
        if C::waits(&command) {
            let client = Arc::clone(&client);
            tokio::spawn(async move { tell(id, client.act(command).await) });
            continue;
        }
        let ends = C::ends(&command);
        tell(id, client.act(command).await);
        if ends {
            return Ok(());
        }
    }
    client.stop().await
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
