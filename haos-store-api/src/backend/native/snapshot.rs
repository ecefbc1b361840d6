//! A view of one commit: a reader that keeps to it, on a thread of its own.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::backend::{Backend, Reader, Readers};
use super::error::{closed, ended};
use super::shell::Shell;
use crate::{Codec, Held, Reads, Result, Snapshot, StorageAdapter, StoreFuture};

/// The interval at which an idle thread looks whether its store has ended.
const LOOK: Duration = Duration::from_millis(50);

type Pinned<B> = <<B as Backend>::Readers as Readers>::Pinned;
/// A read with its answer's way back inside.
type Job<P> = Box<dyn FnOnce(&P) + Send>;

/// The way to the thread; it ends once the sender is gone.
pub(super) struct Thread<P> {
    jobs: Mutex<Option<Sender<Job<P>>>>,
    codec: Codec,
}

/// Holds the latest commit.
pub(super) async fn snapshot<B: Backend>(shell: &Shell<B>) -> Result<Snapshot<Thread<Pinned<B>>>> {
    let codec = shell.options.codec.counting_apart();
    let (jobs, inbox) = channel();
    let (tell, told) = oneshot::channel();
    let own = codec.clone();
    shell.with_engine("snapshot", |engine| {
        let closed = engine.closed.clone();
        engine.chore("snapshot", move |readers| {
            let pinned = readers.pin(own).and_then(|pinned| {
                let revision = pinned.read("snapshot", &|db| db.revision())?;
                Ok((pinned, revision))
            });
            match pinned {
                Ok((pinned, revision)) => {
                    if tell.send(Ok(revision)).is_ok() {
                        serve(&pinned, &inbox, &closed);
                    }
                }
                Err(error) => drop(tell.send(Err(error))),
            }
        })
    })??;
    let revision = told.await.map_err(|_| ended("snapshot"))??;
    Ok(Snapshot::new(Thread { jobs: Mutex::new(Some(jobs)), codec }, revision, shell.info()))
}

/// Reads until the snapshot or its store ends.
fn serve<P>(pinned: &P, jobs: &Receiver<Job<P>>, closed: &AtomicBool) {
    while !closed.load(Ordering::Relaxed) {
        match jobs.recv_timeout(LOOK) {
            // A panic drops the answer's sender, which the caller sees; the other reads go on.
            Ok(job) => {
                if catch_unwind(AssertUnwindSafe(|| job(pinned))).is_err() {
                    tracing::error!("a read of a snapshot panicked");
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl<P: Reader + 'static> Held for Thread<P> {
    fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl Fn(&dyn Reads) -> Result<T> + Send + 'static,
    ) -> StoreFuture<'_, Result<T>> {
        let (reply, answer) = oneshot::channel();
        let job: Job<P> = Box::new(move |pinned: &P| {
            // The caller may have gone meanwhile.
            if !reply.is_closed() {
                let _ = reply.send(pinned.read(operation, &read));
            }
        });
        if let Some(jobs) = &*self.jobs.lock().unwrap_or_else(PoisonError::into_inner) {
            // A job that cannot be sent is dropped with its reply.
            drop(jobs.send(job));
        }
        Box::pin(async move {
            answer.await.map_err(|_| {
                closed(operation, "the snapshot has ended, or its store: open the store and take another")
            })?
        })
    }

    fn damaged(&self) -> u64 {
        self.codec.damaged()
    }

    fn end(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl<P> fmt::Debug for Thread<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Thread(..)")
    }
}
