//! The threads of an open store.

use std::convert::Infallible;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use haos_store_api::*;
use tokio::sync::oneshot;

use crate::error::closed;
use crate::keys::unlock;
use crate::near::NearReaders;
use crate::open::{Opened, accept, open};
use crate::options::SqliteOptions;
use crate::read_only::Access;
use crate::reader::{Read, ReadQueue};
use crate::scratch::tidy;
use crate::writer::{Job, Writer};

/// Changes kept for a slow subscriber.
const FEED: usize = 1024;

/// The way to the threads. They end once it is dropped and their work is done.
pub(crate) struct Engine {
    pub(crate) near: NearReaders,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) reads: Arc<ReadQueue>,
    /// Held by every thread that has the file open.
    alive: Alive,
}

/// A token whose last holder lets [`Threads::end`] return.
pub(crate) type Alive = tokio::sync::mpsc::Sender<Infallible>;

impl Engine {
    /// Hands a read to the reading thread, which the first of them starts: many stores need none.
    pub(crate) fn read(&self, operation: &'static str, read: Read) {
        if self.reads.push(operation, read) {
            let (reads, writer) = (self.reads.clone(), self.jobs.clone());
            let started = self.chore("haos-sqlite-reader", move || {
                reads.serve();
                // Its connection is closed by now.
                drop(writer);
            });
            if let Err(error) = started {
                tracing::error!(%error, "a read is refused");
                self.reads.give_up();
            }
        }
    }

    /// Runs a chore on a thread of its own, which the end of the store waits for.
    pub(crate) fn chore(&self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let token = self.alive.clone();
        spawn(name, move || {
            work();
            drop(token);
        })
        .map(drop)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.reads.close();
        let _ = self.jobs.send(Job::Close(self.near.take()));
    }
}

/// The threads themselves.
pub(crate) struct Threads {
    writer: Option<JoinHandle<()>>,
    /// Ends when the last thread does.
    ended: tokio::sync::mpsc::Receiver<Infallible>,
}

impl Threads {
    /// Waits for the threads. Whoever stops waiting can wait again.
    pub(crate) async fn end(&mut self) {
        while self.ended.recv().await.is_some() {}
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the thread that writes panicked");
        }
    }
}

/// A store that was opened.
pub(crate) struct Started {
    pub(crate) engine: Engine,
    pub(crate) threads: Threads,
    pub(crate) hub: ChangeHub,
    pub(crate) codec: Codec,
    pub(crate) revision: Revision,
    pub(crate) recovery: Option<Recovery>,
    pub(crate) access: Access,
    pub(crate) set_aside: Vec<String>,
}

/// What the writer's thread tells once the store is open.
struct Ready {
    hub: ChangeHub,
    codec: Codec,
    revision: Revision,
    near: NearReaders,
    recovery: Option<Recovery>,
    access: Access,
    set_aside: Vec<String>,
}

/// Opens a store on the thread that will write it. A store that is opened again keeps its hub.
pub(crate) async fn start(options: &SqliteOptions, hub: Option<ChangeHub>) -> Result<Started> {
    let (alive, ended) = tokio::sync::mpsc::channel(1);
    let (jobs, inbox) = mpsc::channel();
    let (tell, told) = oneshot::channel();

    let (own, token) = (options.clone(), alive.clone());
    let writer = spawn("haos-sqlite-writer", move || {
        match prepare(&own, hub) {
            Ok(ready) => {
                // The keys are in the codec: the secret leaves memory with the last options that have it.
                let own = own.opened(ready.codec.clone());
                let (codec, hub, revision) = (ready.codec.clone(), ready.hub.clone(), ready.revision);
                let own = own.access(ready.access);
                // Nobody waits for the store any more: there will be no job either.
                let _ = tell.send(Ok(ready));
                Writer::serve(&own, &codec, &hub, revision, &inbox);
            }
            Err(error) => drop(tell.send(Err(error))),
        }
        drop(token);
    })?;
    let ready = told.await.map_err(|_| closed("open", "the store's thread ended unexpectedly"))??;
    let Ready { hub, codec, revision, near, recovery, access, set_aside } = ready;
    let reads = options.clone().opened(codec.clone()).access(access);
    let reads = Arc::new(ReadQueue::new(reads, codec.clone()));
    let engine = Engine { near, jobs, reads, alive };
    let threads = Threads { writer: Some(writer), ended };
    Ok(Started { engine, threads, hub, codec, revision, recovery, access, set_aside })
}

/// Opens the file with a single connection, which reads from then on: whoever waits sees the first page before the
/// writer has its own.
fn prepare(options: &SqliteOptions, hub: Option<ChangeHub>) -> Result<Ready> {
    let Opened { conn, recovery, access } = open(options)?;
    let codec = unlock(&conn, options)?;
    if access == Access::Write {
        accept(&conn)?;
    }
    let db = crate::db::Db { conn: &conn, codec: &codec, operation: "open" };
    let (revision, set_aside) = (db.store_revision()?, tidy(options.path(), db.store_id()?));
    let near = options.clone().opened(codec.clone()).access(access);
    let near = NearReaders::new(conn, &near, codec.clone())?;
    let hub = hub.unwrap_or_else(|| ChangeHub::new(FEED, revision));
    Ok(Ready { hub, codec, revision, near, recovery, access, set_aside })
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| Error::new(ErrorKind::Other, "start", "no thread can be started").with_source(e))
}
