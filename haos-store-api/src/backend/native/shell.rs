//! The shell of a store: calls go to the threads, answers come back.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::oneshot;

use super::apart::{Stop, StopOnDrop};
use super::backend::{Backend, Found, Reader, Readers};
use super::error::{closed, ended};
use super::job::Job;
use super::mirror::Keeper;
use super::options::Options;
use super::works::{Started, Threads, Works, start};
use crate::{ChangeHub, Reads, Result, StoreInfo, Turns};

/// A store over a backend.
///
/// Calls need no runtime: one thread writes, another does long reads, and futures wait for their answers. Short reads
/// (one row, a page, a small range of media) are done in the caller's poll. Dropping a future tears nothing: its batch
/// is applied whole or not at all. Dropping the shell without [`close`](crate::StorageAdapter::close) lets the threads
/// finish all accepted work, and does not wait for them.
pub struct Shell<B: Backend> {
    pub(super) options: Options,
    pub(super) read_only: bool,
    info: Mutex<StoreInfo>,
    stage: RwLock<Stage<B>>,
    pub(super) turns: Turns,
    /// One change of stage at a time; the threads to wait for.
    threads: tokio::sync::Mutex<Option<Threads>>,
}

/// The stage of a store's life.
pub(super) enum Stage<B: Backend> {
    Open(Works<B>, ChangeHub),
    Suspended(ChangeHub),
    Closed,
}

impl<B: Backend> Shell<B> {
    /// Opens the store that the options name.
    ///
    /// # Errors
    /// `Invalid` for an invalid path, and those of [`Backend::open`].
    pub async fn open(options: Options) -> Result<Self> {
        let options = options.resolved::<B>()?;
        let Started { engine, threads, hub, found } = start::<B>(&options, None).await?;
        let Found { codec, revision, recovery, set_aside, read_only, id: _ } = found;
        let info = StoreInfo {
            backend: B::NAME,
            format: B::FORMAT,
            location: Some(options.path().display().to_string()),
            persistent: true,
            sealed: codec.is_sealed(),
            shared: B::SHARED,
            evictable: false,
            read_only,
            opened_at: revision,
            recovery,
            set_aside,
            damaged: 0,
        };
        Ok(Self {
            options: options.unlocked(codec).create(false).check(false),
            read_only,
            info: Mutex::new(info),
            stage: RwLock::new(Stage::Open(engine, hub)),
            turns: Turns::default(),
            threads: tokio::sync::Mutex::new(Some(threads)),
        })
    }

    pub(super) fn stage(&self) -> RwLockReadGuard<'_, Stage<B>> {
        self.stage.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn stage_mut(&self) -> RwLockWriteGuard<'_, Stage<B>> {
        self.stage.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn info_mut(&self) -> MutexGuard<'_, StoreInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands work to the threads of an open store.
    pub(super) fn with_engine<T>(
        &self,
        operation: &'static str,
        hand: impl FnOnce(&Works<B>) -> T,
    ) -> Result<T> {
        match &*self.stage() {
            Stage::Open(engine, _) => Ok(hand(engine)),
            Stage::Suspended(_) => Err(closed(operation, "the store is suspended: resume it first")),
            Stage::Closed => Err(closed(operation, "the store is closed: open it again")),
        }
    }

    /// Reads on the caller's thread if the read is `short`, taking no longer than to wake a thread, and has to wait for
    /// nobody; else on the reading thread.
    pub(super) async fn glance<T: Send + 'static>(
        &self,
        operation: &'static str,
        short: bool,
        read: impl Fn(&dyn Reads) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        if short {
            self.turns.give_way().await;
            let glance =
                |engine: &Works<B>| engine.readers.glance(engine.writing.is_going_on(), operation, &read);
            if let Some(answer) = self.with_engine(operation, glance)? {
                return answer;
            }
        }
        self.read(operation, read).await
    }

    /// Reads on the reading thread.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl Fn(&dyn Reads) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let read = Box::new(move |reader: Result<&<B::Readers as Readers>::Reader>| {
            // The caller may have gone meanwhile.
            if !reply.is_closed() {
                let _ = reply.send(reader.and_then(|reader| reader.read(operation, &read)));
            }
        });
        self.with_engine(operation, |engine| engine.read(operation, read))?;
        answer.await.map_err(|_| ended(operation))?
    }

    /// Runs a function on the writing thread, between commits.
    ///
    /// # Errors
    /// Those of the call, and `Closed`.
    pub async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&mut B::Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.tend(operation, |writer, _| call(writer)).await
    }

    /// Runs a function as [`call`](Self::call) does, which also has the mirror of the outbox.
    pub(super) async fn tend<T: Send + 'static>(
        &self,
        operation: &'static str,
        call: impl FnOnce(&mut B::Writer, &mut Keeper) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job = Job::Call(Box::new(move |writer, keeper| {
            let _ = reply.send(call(writer, keeper));
        }));
        // A job that cannot be sent is dropped with its reply.
        self.with_engine(operation, |engine| drop(engine.jobs.send(job)))?;
        answer.await.map_err(|_| ended(operation))?
    }

    /// Runs a chore on a thread of its own: reads and writes go on meanwhile, and the end of the store waits for it.
    ///
    /// # Errors
    /// Those of the chore, and `Closed`.
    pub async fn chore<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&B::Readers, &Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let mut stop = StopOnDrop(Stop::default());
        self.with_engine(operation, |engine| {
            stop.0.closed = engine.closed.clone();
            let stopped = stop.0.clone();
            engine.chore("chore", move |readers| {
                let _ = reply.send(work(readers, &stopped));
            })
        })??;
        answer.await.map_err(|_| ended(operation))?
    }

    /// Takes the store out of its stage, for good or until it is resumed, and waits for its threads.
    pub(super) async fn leave(&self, into: impl FnOnce(Stage<B>) -> Result<Stage<B>>) -> Result<()> {
        let mut threads = self.threads.lock().await;
        {
            let mut stage = self.stage_mut();
            *stage = into(std::mem::replace(&mut *stage, Stage::Closed))?;
        }
        if let Some(threads) = &mut *threads {
            threads.end().await;
        }
        *threads = None;
        Ok(())
    }

    pub(super) async fn enter(&self) -> Result<()> {
        let mut threads = self.threads.lock().await;
        let hub = match &*self.stage() {
            Stage::Open(..) => return Ok(()),
            Stage::Suspended(hub) => hub.clone(),
            Stage::Closed => return Err(closed("resume", "the store is closed: open it again")),
        };
        // An interrupted suspension left them running.
        if let Some(threads) = &mut *threads {
            threads.end().await;
        }
        let Started { engine, threads: started, found, .. } = start(&self.options, Some(hub.clone())).await?;
        if found.read_only != self.read_only {
            let message = "whether the store can be written has changed: close it and open it again";
            return Err(closed("resume", message));
        }
        if found.revision != hub.latest() {
            hub.resync(found.revision);
        }
        {
            let mut info = self.info_mut();
            info.set_aside = found.set_aside;
            info.recovery = found.recovery.or(info.recovery.take());
        }
        *self.stage_mut() = Stage::Open(engine, hub);
        *threads = Some(started);
        Ok(())
    }
}

impl<B: Backend> fmt::Debug for Shell<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shell").field("options", &self.options).finish_non_exhaustive()
    }
}
