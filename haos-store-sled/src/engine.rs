//! The threads of an open store.

use std::convert::Infallible;
use std::sync::{Arc, mpsc};
use std::thread::{Builder, JoinHandle};

use haos_store_api::*;
use tokio::sync::oneshot;

use crate::error::{closed, guarded};
use crate::open::open;
use crate::options::SledOptions;
use crate::reader::ReadQueue;
use crate::shared::Shared;
use crate::writer::{Job, Writer};

/// Changes kept for a slow subscriber.
const FEED: usize = 1024;

/// The way to the threads. They end once it is dropped and their work is done.
pub(crate) struct Engine {
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) reads: Arc<ReadQueue>,
    pub(crate) shared: Arc<Shared>,
    /// Held by whoever may still read: the writer lets go of the files after them.
    readers: mpsc::Sender<Infallible>,
}

impl Engine {
    /// Runs a chore on a thread of its own, which the end of the store waits for.
    pub(crate) fn chore(&self, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let token = self.readers.clone();
        spawn("haos-sled-chore", move || {
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
    /// Ends when the writer has let go of the files.
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
    pub(crate) set_aside: Vec<String>,
}

/// What the writer's thread tells once the store is open.
struct Ready {
    hub: ChangeHub,
    revision: Revision,
    shared: Arc<Shared>,
    recovery: Option<Recovery>,
    set_aside: Vec<String>,
}

/// Opens a store on the thread that will write it. A store that is opened again keeps its hub.
pub(crate) async fn start(options: &SledOptions, hub: Option<ChangeHub>) -> Result<Started> {
    let (alive, ended) = tokio::sync::mpsc::channel(1);
    let (jobs, inbox) = mpsc::channel();
    let (readers, read) = mpsc::channel();
    let (tell, told) = oneshot::channel();
    let mut handles = Vec::new();

    let own = options.clone();
    handles.push(spawn("haos-sled-writer", move || {
        match guarded("open", || prepare(&own, hub)) {
            Ok((writer, ready)) => {
                // The keys are in the codec: the secret leaves memory with the last options that have it.
                drop(own);
                // Nobody waits for the store any more: there will be no job either.
                let _ = tell.send(Ok(ready));
                writer.run(&inbox, &read);
            }
            Err(error) => drop(tell.send(Err(error))),
        }
        drop(alive);
    })?);
    let ready = told.await.map_err(|_| closed("open", "the store's thread ended unexpectedly"))??;

    let reads = Arc::new(ReadQueue::default());
    let (shared, token) = (ready.shared.clone(), readers.clone());
    let engine = Engine { jobs, reads: reads.clone(), shared: ready.shared, readers };
    handles.push(spawn("haos-sled-reader", move || {
        reads.serve(&shared);
        drop(token);
    })?);
    let threads = Threads { handles, ended };
    let (codec, revision) = (engine.shared.codec().clone(), ready.revision);
    let (hub, recovery, set_aside) = (ready.hub, ready.recovery, ready.set_aside);
    Ok(Started { engine, threads, hub, codec, revision, recovery, set_aside })
}

fn prepare(options: &SledOptions, hub: Option<ChangeHub>) -> Result<(Writer, Ready)> {
    let (opened, recovery) = open(options)?;
    let revision = opened.head.revision;
    let hub = hub.unwrap_or_else(|| ChangeHub::new(FEED, revision));
    let shared = Arc::new(Shared::new(opened.files.clone(), opened.codec.clone()));
    let copies = files::set_asides(options.path(), opened.home().id());
    let set_aside = copies.iter().map(|folder| folder.display().to_string()).collect();
    let writer = Writer::new(opened, shared.clone(), hub.clone());
    Ok((writer, Ready { hub, revision, shared, recovery, set_aside }))
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|e| Error::new(ErrorKind::Other, "start", "no thread can be started").with_source(e))
}
