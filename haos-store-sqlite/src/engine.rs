//! The threads of an open store.

use std::convert::Infallible;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use haos_store_api::*;
use tokio::sync::oneshot;

use crate::error::closed;
use crate::keys::unlock;
use crate::near::NearReaders;
use crate::open::{accept, open};
use crate::options::SqliteOptions;
use crate::reader::ReadQueue;
use crate::writer::{Job, Writer};

/// Changes kept for a slow subscriber.
const FEED: usize = 1024;

/// The way to the threads. They end once it is dropped and their work is done.
pub(crate) struct Engine {
    /// Before `jobs`: the writer closes its connection last and alone, which is what clears the log away.
    pub(crate) near: NearReaders,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) reads: Arc<ReadQueue>,
    /// Held by every thread that has the file open.
    alive: Alive,
}

/// A token whose last holder lets [`Threads::end`] return.
pub(crate) type Alive = tokio::sync::mpsc::Sender<Infallible>;

impl Engine {
    /// Runs a chore on a thread of its own, which the end of the store waits for.
    pub(crate) fn chore(&self, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let token = self.alive.clone();
        spawn("haos-sqlite-chore", move || {
            work();
            drop(token);
        })
        .map(drop)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.reads.close();
    }
}

/// The threads themselves.
pub(crate) struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// Ends when the last thread does.
    ended: tokio::sync::mpsc::Receiver<Infallible>,
}

impl Threads {
    /// Waits for the threads. Whoever stops waiting can wait again.
    pub(crate) async fn end(&mut self) {
        while self.ended.recv().await.is_some() {}
        for handle in self.handles.drain(..) {
            if handle.join().is_err() {
                tracing::error!("a thread of the store panicked");
            }
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
}

/// What the writer's thread tells once the store is open.
struct Ready {
    hub: ChangeHub,
    codec: Codec,
    revision: Revision,
    near: NearReaders,
    recovery: Option<Recovery>,
}

/// Opens a store on the thread that will write it. A store that is opened again keeps its hub.
pub(crate) async fn start(options: &SqliteOptions, hub: Option<ChangeHub>) -> Result<Started> {
    let (alive, ended) = tokio::sync::mpsc::channel(1);
    let (jobs, inbox) = mpsc::channel();
    let (tell, told) = oneshot::channel();
    let mut handles = Vec::new();

    let (own, token) = (options.clone(), alive.clone());
    handles.push(spawn("haos-sqlite-writer", move || {
        match prepare(&own, hub) {
            Ok((writer, ready)) => {
                // Nobody waits for the store any more: there will be no job either.
                let _ = tell.send(Ok(ready));
                writer.run(&inbox);
            }
            Err(error) => drop(tell.send(Err(error))),
        }
        drop(token);
    })?);
    let ready = told.await.map_err(|_| closed("open", "the store's thread ended unexpectedly"))??;

    let reads = Arc::new(ReadQueue::default());
    let writer = jobs.clone();
    let engine = Engine { near: ready.near, jobs, reads: reads.clone(), alive: alive.clone() };
    let (own, codec) = (options.clone(), ready.codec.clone());
    handles.push(spawn("haos-sqlite-reader", move || {
        reads.serve(&own, &codec);
        // Its connection is closed by now.
        drop(writer);
        drop(alive);
    })?);
    let threads = Threads { handles, ended };
    let Ready { hub, codec, revision, recovery, .. } = ready;
    Ok(Started { engine, threads, hub, codec, revision, recovery })
}

fn prepare(options: &SqliteOptions, hub: Option<ChangeHub>) -> Result<(Writer, Ready)> {
    let (conn, recovery) = open(options)?;
    let codec = unlock(&conn, options)?;
    accept(&conn)?;
    let near = NearReaders::open(options, codec.clone())?;
    let db = crate::db::Db { conn: &conn, codec: &codec, operation: "open" };
    let revision = db.store_revision()?;
    let hub = hub.unwrap_or_else(|| ChangeHub::new(FEED, revision));
    let writer = Writer::new(conn, codec.clone(), hub.clone())?;
    Ok((writer, Ready { hub, codec, revision, near, recovery }))
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| Error::new(ErrorKind::Other, "start", "no thread can be started").with_source(e))
}
