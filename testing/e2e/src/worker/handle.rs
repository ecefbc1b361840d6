use std::collections::HashMap;
use std::fmt::Debug;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{oneshot, watch};

use super::command::{Numbered, Said, WorkerCommand};
use super::dump::{Dump, OutboxRow};
use super::plan::WorkerPlan;
use crate::{Error, Result};

/// How much longer than its plan's limit a worker may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker's process, from outside. It is killed when this is dropped.
#[derive(Debug)]
pub struct Worker {
    child: tokio::sync::Mutex<Child>,
    input: tokio::sync::Mutex<ChildStdin>,
    book: Arc<Book>,
    ready: watch::Receiver<Option<std::result::Result<Value, String>>>,
    next: AtomicU64,
    patience: Duration,
}

/// Commands that are not answered yet; none once the process is gone.
#[derive(Debug, Default)]
struct Book(Mutex<Option<HashMap<u64, oneshot::Sender<Result<Value>>>>>);

/// A row that is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// Its transaction id.
    pub txn_id: String,
    /// Its place in the outbox.
    pub seq: u64,
}

impl Worker {
    /// Starts `program`, which is `env!("CARGO_BIN_EXE_haos-e2e-client")` in a test, by a plan. Commands may
    /// be given at once; [`Worker::ready`] waits until it has a client.
    ///
    /// # Errors
    /// It does not start.
    pub async fn start(program: impl AsRef<Path>, plan: &WorkerPlan) -> Result<Self> {
        Self::run(Command::new(program.as_ref()), plan).await
    }

    /// [`start`](Self::start) of any program that speaks the [protocol](crate::worker), with its arguments.
    ///
    /// # Errors
    /// It does not start.
    pub async fn run(mut command: Command, plan: &WorkerPlan) -> Result<Self> {
        let failed = |e: std::io::Error| Error::new("the worker does not start", e);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let none = || Error::new("the worker does not start", "it has no pipes");
        let (mut input, output) =
            (child.stdin.take().ok_or_else(none)?, child.stdout.take().ok_or_else(none)?);
        let first = serde_json::to_string(plan).map_err(|e| Error::new("the plan", e))?;
        input.write_all(format!("{first}\n").as_bytes()).await.map_err(failed)?;
        let book = Arc::new(Book(Mutex::new(Some(HashMap::new()))));
        let (tell, ready) = watch::channel(None);
        tokio::spawn(listen(output, Arc::clone(&book), tell));
        let patience = Duration::from_millis(plan.limit_ms) + PATIENCE;
        let (child, input) = (tokio::sync::Mutex::new(child), tokio::sync::Mutex::new(input));
        Ok(Self { child, input, book, ready, next: AtomicU64::new(1), patience })
    }

    /// Waits until it runs: `user`, `device`, `resumed`.
    ///
    /// # Errors
    /// It failed for good, or ended.
    pub async fn ready(&self) -> Result<Value> {
        let mut ready = self.ready.clone();
        let said = tokio::time::timeout(self.patience, ready.wait_for(Option::is_some)).await;
        let gone = || Error::new("worker", "it ended before it was ready");
        let said = said.map_err(|e| Error::new("worker: ready", e))?.map_err(|_| gone())?;
        match &*said {
            Some(Ok(ready)) => Ok(ready.clone()),
            Some(Err(failed)) => Err(Error::new("worker", failed)),
            None => Err(gone()),
        }
    }

    /// Gives a command and waits for its answer: see the [protocol](crate::worker).
    ///
    /// # Errors
    /// It could not be done, or the process ended first.
    pub async fn call(&self, command: impl Serialize + Debug) -> Result<Value> {
        let id = self.next.fetch_add(1, Relaxed);
        let name = format!("worker: {command:?}");
        let line = serde_json::to_string(&Numbered { id, command }).map_err(|e| Error::new(&*name, e))?;
        let (tell, told) = oneshot::channel();
        self.book.note(id, tell)?;
        let written = self.input.lock().await.write_all(format!("{line}\n").as_bytes()).await;
        written.map_err(|e| Error::new(&*name, e))?;
        match tokio::time::timeout(self.patience, told).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Error::new(name, "the process ended")),
            Err(e) => Err(Error::new(name, e)),
        }
    }

    /// Writes a text; it is durable when this returns.
    ///
    /// # Errors
    /// As [`Worker::call`].
    pub async fn write(&self, room: &str, body: &str) -> Result<Written> {
        let command = WorkerCommand::Write { room: room.to_owned(), body: body.to_owned() };
        Written::of(&self.call(command).await?)
    }

    /// Waits until everything is sent and synced.
    ///
    /// # Errors
    /// As [`Worker::call`]; what was missing when the plan's limit was over.
    pub async fn settle(&self) -> Result<()> {
        self.call(WorkerCommand::Settle).await.map(drop)
    }

    /// Fills all gaps; how many pages that took.
    ///
    /// # Errors
    /// As [`Worker::call`].
    pub async fn fill(&self) -> Result<u64> {
        let done = self.call(WorkerCommand::Fill).await?;
        Ok(done.get("pages").and_then(Value::as_u64).unwrap_or(0))
    }

    /// The outbox.
    ///
    /// # Errors
    /// As [`Worker::call`].
    pub async fn rows(&self) -> Result<Vec<OutboxRow>> {
        let mut done = self.call(WorkerCommand::Rows).await?;
        serde_json::from_value(done["rows"].take()).map_err(|e| Error::new("worker: rows", e))
    }

    /// The content of the store.
    ///
    /// # Errors
    /// As [`Worker::call`].
    pub async fn dump(&self) -> Result<Dump> {
        let failed = |e: std::io::Error| Error::new("worker: dump", e);
        let file = tempfile::NamedTempFile::new().map_err(failed)?;
        let path = file.path().to_string_lossy().into_owned();
        self.call(WorkerCommand::Dump { path }).await?;
        let bytes = std::fs::read(file.path()).map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|e| Error::new("worker: dump", e))
    }

    /// Ends it at once (SIGKILL), and waits until it has ended. What it had answered by then is delivered.
    ///
    /// # Errors
    /// It could not be killed: it ended before.
    pub async fn kill(&self) -> Result<()> {
        let failed = |e: std::io::Error| Error::new("killing a worker", e);
        let mut child = self.child.lock().await;
        if let Some(status) = child.try_wait().map_err(failed)? {
            return Err(Error::new("killing a worker", format!("it had ended with {status}")));
        }
        child.kill().await.map_err(failed)
    }

    /// Lets it stop in order and waits until it has ended.
    ///
    /// # Errors
    /// It could not stop, or did not end.
    pub async fn stop(&self) -> Result<()> {
        self.call(WorkerCommand::Stop).await?;
        let ended = tokio::time::timeout(self.patience, async { self.child.lock().await.wait().await }).await;
        let status = ended.map_err(|e| Error::new("stopping a worker", e))?;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Error::new("stopping a worker", status)),
            Err(e) => Err(Error::new("stopping a worker", e)),
        }
    }
}

impl Book {
    fn note(&self, id: u64, tell: oneshot::Sender<Result<Value>>) -> Result<()> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = book.as_mut().ok_or_else(|| Error::new("worker", "the process has ended"))?;
        open.insert(id, tell);
        Ok(())
    }

    fn answer(&self, id: u64, answer: Result<Value>) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tell) = book.as_mut().and_then(|open| open.remove(&id)) {
            // Whoever asked may have given up.
            let _ = tell.send(answer);
        }
    }

    fn close(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

async fn listen(
    output: ChildStdout,
    book: Arc<Book>,
    ready: watch::Sender<Option<std::result::Result<Value, String>>>,
) {
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match serde_json::from_str(&line) {
            Ok(Said::Ready { ready: said }) => drop(ready.send_replace(Some(Ok(said)))),
            Ok(Said::Failed { failed }) => {
                eprintln!("a worker failed: {failed}");
                ready.send_if_modified(|ready| {
                    let early = ready.is_none();
                    *ready = Some(ready.take().unwrap_or(Err(failed)));
                    early
                });
            }
            Ok(Said::Done { id, done }) => book.answer(id, Ok(done)),
            Ok(Said::Error { id, error }) => book.answer(id, Err(Error::new("worker", error))),
            // A line that a kill cut off.
            Err(_) => {}
        }
    }
    book.close();
}

impl Written {
    fn of(done: &Value) -> Result<Self> {
        let txn_id = done.get("txn_id").and_then(Value::as_str);
        let txn_id = txn_id.ok_or_else(|| Error::new("worker: write", "the answer has no txn_id"))?;
        Ok(Self { txn_id: txn_id.to_owned(), seq: done.get("seq").and_then(Value::as_u64).unwrap_or(0) })
    }
}
