//! The threads of an open store.

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::apart::spawn;
use super::backend::{Backend, Found, Opened, Readers as _};
use super::desk::{Desk, is_short};
use super::error::closed;
use super::job::{Job, Submission, Writing, serve};
use super::mirror::{Keeper, refuse_other_secret};
use super::options::Options;
use super::queue::{Read, ReadQueue};
use crate::{ChangeHub, Commit, ErrorKind, Result, WriteBatch};

/// Changes kept for a slow subscriber.
const FEED: usize = 1024;

/// The way to the threads. They end once it is dropped and their work is done.
pub(super) struct Works<B: Backend> {
    pub(super) readers: Arc<B::Readers>,
    pub(super) jobs: mpsc::Sender<Job<B>>,
    pub(super) writing: Writing,
    desk: Arc<Desk<B>>,
    /// True once chores are to end.
    pub(super) closed: Arc<AtomicBool>,
    reads: Arc<ReadQueue<B::Readers>>,
    alive: Alive,
}

/// A token whose last holder lets [`Threads::end`] return.
type Alive = tokio::sync::mpsc::Sender<Infallible>;

/// A batch that was handed over.
pub(super) enum Applied {
    /// It is done.
    AtOnce(Result<Commit>),
    /// The writing thread will answer.
    Waits(oneshot::Receiver<Result<Commit>>),
}

impl<B: Backend> Works<B> {
    /// Applies a short batch at once if nobody else writes; hands any other to the writing thread.
    pub(super) fn apply(&self, batch: WriteBatch) -> Applied {
        let is_alone = !self.writing.is_going_on();
        let is_short = is_short(&batch);
        let (mut request, answer) = Submission::new(batch, &self.writing);
        if is_alone && is_short {
            request = match self.desk.apply_at_once(request) {
                Ok(done) => {
                    if self.desk.is_untidy() {
                        let _ = self.jobs.send(Job::Wake);
                    }
                    return Applied::AtOnce(done);
                }
                Err(request) => request,
            };
        }
        // A request that cannot be sent is dropped with its reply.
        drop(self.jobs.send(Job::Apply(request)));
        Applied::Waits(answer)
    }

    /// Hands a read to the reading thread, which the first of them starts: many stores need none.
    pub(super) fn read(&self, operation: &'static str, read: Read<B::Readers>) {
        if self.reads.push(operation, read) {
            let reads = self.reads.clone();
            if let Err(error) = self.chore("reader", move |readers| reads.serve(readers)) {
                tracing::error!(%error, "a read is refused");
                self.reads.give_up();
            }
        }
    }

    /// Runs a chore on a thread of its own, which the writer waits for before it closes the store.
    pub(super) fn chore(
        &self,
        name: &str,
        work: impl FnOnce(&Arc<B::Readers>) + Send + 'static,
    ) -> Result<()> {
        let (readers, writer, alive) = (self.readers.clone(), self.jobs.clone(), self.alive.clone());
        let work = move || {
            work(&readers);
            drop((readers, writer, alive));
        };
        spawn::<B>(name, work).map(drop)
    }
}

impl<B: Backend> Drop for Works<B> {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
        self.reads.close();
        let _ = self.jobs.send(Job::Close(self.readers.clone()));
    }
}

/// The threads themselves.
pub(super) struct Threads {
    writer: Option<JoinHandle<()>>,
    /// Ends when the last thread does.
    ended: tokio::sync::mpsc::Receiver<Infallible>,
}

impl Threads {
    /// Waits for the threads. A caller that stops waiting can wait again.
    pub(super) async fn end(&mut self) {
        while self.ended.recv().await.is_some() {}
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the thread that writes panicked");
        }
    }
}

/// A store that was opened.
pub(super) struct Started<B: Backend> {
    pub(super) engine: Works<B>,
    pub(super) threads: Threads,
    pub(super) hub: ChangeHub,
    pub(super) found: Found,
}

/// Opens a store on the thread that will write it. A store that is opened again keeps its hub.
pub(super) async fn start<B: Backend>(options: &Options, hub: Option<ChangeHub>) -> Result<Started<B>> {
    let (alive, ended) = tokio::sync::mpsc::channel(1);
    let (jobs, inbox) = mpsc::channel();
    let (tell, told) = oneshot::channel();
    let (own, token) = (options.clone(), alive.clone());
    let writer = spawn::<B>("writer", move || {
        let opened = open::<B>(&own, hub.as_ref());
        // The keys are in the codec: the secret leaves memory with the last options that have it.
        drop(own);
        match opened {
            Ok((Opened { backend, readers, found }, keeper, made)) => {
                // The caller may have stopped waiting for the store: then no job comes either.
                let desk = Arc::new(Desk::new(backend, keeper, hub.unwrap_or(made)));
                let _ = tell.send(Ok((readers, found, desk.clone())));
                serve(&desk, &inbox);
            }
            Err(error) => drop(tell.send(Err(error))),
        }
        drop(token);
    })?;
    let (readers, found, desk) =
        told.await.map_err(|_| closed("open", "the store's thread ended unexpectedly"))??;
    let (writing, closed, reads) = (Writing::default(), Arc::default(), Arc::new(ReadQueue::new()));
    let hub = desk.hub.clone();
    let engine = Works { readers, jobs, writing, desk, closed, reads, alive };
    Ok(Started { engine, threads: Threads { writer: Some(writer), ended }, hub, found })
}

/// Opens a store and completes its outbox from the mirror. A store that turns out damaged by that is opened again, with
/// a check of all of it.
fn open<B: Backend>(options: &Options, hub: Option<&ChangeHub>) -> Result<(Opened<B>, Keeper, ChangeHub)> {
    refuse_other_secret::<B>(options)?;
    let open = |options: &Options| {
        let mut opened = B::open(options)?;
        let made = hub.cloned().unwrap_or_else(|| ChangeHub::new(FEED, opened.found.revision));
        match opened.mirrored(options, &made) {
            Ok(keeper) => {
                if hub.is_none() && made.latest() != opened.found.revision {
                    made.resync(opened.found.revision);
                }
                Ok((opened, keeper, made))
            }
            Err(error) => {
                opened.readers.close();
                opened.backend.finish();
                Err(error)
            }
        }
    };
    match open(options) {
        Err(error) if error.kind() == ErrorKind::Corrupt && !options.check => {
            open(&options.clone().check(true))
        }
        opened => opened,
    }
}
