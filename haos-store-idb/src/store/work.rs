//! The runs of readings and commits, and the transactions that they need.
//!
//! What is seldom done is boxed, and never inlined: a first page needs none of it, and a module in two halves has it in
//! the second.

use std::rc::{Rc, Weak};

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use haos_store_api::backend::*;
use haos_store_api::*;
use haos_web::sleep;
use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

use super::ask::{Ask, Told};
use super::ballast::is_worth;
use super::open::ID;
use super::{IdbTx, Inner, closed};
use crate::durability::{Census, ask_persistence};
use crate::engine::chores::{self, Chore, Stepped};
use crate::engine::commit::{self, Draft, Outcome};
use crate::engine::fold;
use crate::engine::kv::{Kv, Table};
use crate::engine::read::{Reader, Walk};
use crate::engine::reload::{self, Loaded};
use crate::engine::view::{Fault, View};
use crate::idb::{Mode, Transaction};
use crate::schema::{ALL, LOG, META};

/// The time in which other contexts tell of their commits, in milliseconds.
const PATIENCE_MS: u32 = 100;
/// The readings from memory before one that looks at the log: a task that only reads lets the browser have a turn, in
/// which other contexts are heard.
const READINGS: u32 = 64;
/// The loads between two looks at the memory that they take.
const LOADS: u32 = 16;

/// Runs work with transactions in a task of its own. A caller that is busy with something else when a request is
/// answered would let the browser end the transaction before the next request: a read would fail, and half of a write
/// would be stored.
pub(super) async fn alone<T: 'static>(
    operation: &'static str,
    work: LocalBoxFuture<'static, Result<T>>,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    spawn_local(async move {
        let done = work.await;
        // The caller may have gone meanwhile.
        let _ = reply.send(done);
    });
    answer.await.map_err(|_| closed(operation, "the store's task has ended: open the store again"))?
}

/// Applies a batch: dropping the call does not tear it, and the commit is told.
pub(super) async fn apply(inner: &Rc<Inner>, batch: WriteBatch) -> Result<Commit> {
    inner.check("apply")?;
    let inner = Rc::clone(inner);
    let Ok(accepted) = inner.accepted.clone().try_read_owned() else {
        return Err(closed("apply", "the store is being closed: open it again"));
    };
    let work = async move {
        let commit = inner.commit(&batch).await;
        drop(accepted);
        let commit = commit?;
        if commit.changed {
            inner.tell(&batch, commit.revision);
            inner.idle.busy();
            inner.plan_fold();
            inner.keep_ballast(&batch);
        }
        Ok(commit)
    };
    alone("apply", Box::pin(work)).await
}

/// Reads: at once from memory, if everything is there, and else in a task of its own; see [`alone`].
pub(super) async fn ask(inner: &Rc<Inner>, ask: Ask) -> Result<Told> {
    let operation = ask.operation();
    inner.check(operation)?;
    inner.idle.busy();
    let mut walk = Walk::default();
    let mut lacking = Vec::new();
    if !inner.is_stale(&ask) {
        match inner.look(&ask, &mut walk) {
            Ok(told) => {
                inner.readings.set(inner.readings.get() + 1);
                return told;
            }
            Err(faults) => lacking = faults,
        }
    }
    let inner = Rc::clone(inner);
    alone(operation, Box::pin(async move { inner.read(&ask, walk, lacking).await })).await
}

/// Makes the error for an answer to another question, which cannot occur.
pub(super) fn mixed_up(operation: &'static str) -> Error {
    Error::new(ErrorKind::Other, operation, "an answer was mixed up: report this")
}

/// A load that is about to begin.
pub(super) struct Flight {
    wanted: SortedSet<Fault>,
    landed: Shared<oneshot::Receiver<bool>>,
}

impl Inner {
    /// Tells whether memory alone may not answer.
    fn is_stale(&self, ask: &Ask) -> bool {
        let had_its_turn = self.readings.get() < READINGS;
        ask.is_strict()
            || self.stale.get()
            || !had_its_turn
            || !self.info.borrow().shared
            || !self.connection.is_there()
    }

    /// Answers from memory, or names what is lacking.
    fn look(&self, ask: &Ask, walk: &mut Walk) -> Result<Result<Told>, Vec<Fault>> {
        let memory = self.memory.borrow();
        let mut view = View::new(&memory);
        let told = ask.run(Reader { view: &mut view, codec: &self.codec }, walk);
        let (_, faults) = view.end();
        if faults.is_empty() { Ok(told) } else { Err(faults) }
    }

    pub(super) async fn read(
        self: &Rc<Self>,
        ask: &Ask,
        mut walk: Walk,
        mut lacking: Vec<Fault>,
    ) -> Result<Told> {
        let mut keys = false;
        loop {
            self.load(lacking).await?;
            match self.look(ask, &mut walk) {
                // Another context may have changed the keys.
                Ok(Err(error)) if error.kind() == ErrorKind::WrongKey && !keys && self.codec.is_sealed() => {
                    keys = true;
                    self.refresh_keys().await?;
                    lacking = Vec::new();
                }
                Ok(told) => {
                    self.memory.borrow_mut().tables.forget(Table::Chunks);
                    return told;
                }
                Err(faults) => lacking = faults,
            }
        }
    }

    /// Catches up with the log, and loads what is lacking. Calls of one moment are one transaction.
    pub(super) async fn load(self: &Rc<Self>, faults: Vec<Fault>) -> Result<()> {
        let landed = {
            let mut flight = self.flight.borrow_mut();
            let flight = flight.get_or_insert_with(|| {
                let (sender, landed) = oneshot::channel();
                let inner = Rc::clone(self);
                spawn_local(async move {
                    let wanted = inner.flight.take().map(|flight| flight.wanted).unwrap_or_default();
                    let _ = sender.send(inner.load_alone(wanted.into_iter().collect()).await.is_ok());
                });
                Flight { wanted: SortedSet::new(), landed: landed.shared() }
            });
            flight.wanted.extend(faults.iter().cloned());
            flight.landed.clone()
        };
        match landed.await {
            Ok(true) => Ok(()),
            // Each for itself: one of the others' may be what failed.
            _ => self.load_alone(faults).await,
        }
    }

    async fn load_alone(self: &Rc<Self>, faults: Vec<Fault>) -> Result<()> {
        let before = self.memory.borrow().head.revision;
        // Whatever is heard from here on is news.
        self.stale.set(false);
        self.readings.set(0);
        let loaded = self.load_now(faults).await;
        if loaded.is_err() {
            self.stale.set(true);
        }
        loaded?;
        let revision = self.memory.borrow().head.revision;
        if revision > before {
            spawn_local(missed(Rc::downgrade(self), revision));
        }
        self.loads.set(self.loads.get() + 1);
        if self.loads.get().is_multiple_of(LOADS) && self.memory.borrow().tables.bytes() > self.memory_bytes {
            self.memory.borrow_mut().tables.shrink_to(self.memory_bytes / 2);
        }
        Ok(())
    }

    async fn load_now(&self, faults: Vec<Fault>) -> Result<()> {
        let mut stores = vec![LOG];
        for fault in &faults {
            let name = fault.table().name();
            if !stores.contains(&name) {
                stores.push(name);
            }
        }
        let mut cut_off = false;
        loop {
            let loaded = async {
                let tx = self.begin(&stores, Mode::Read, "read").await?;
                reload::load(&IdbTx::new(&tx), &self.codec, &self.memory, faults.clone()).await
            };
            match loaded.await {
                Ok(Loaded::Done) => return Ok(()),
                Ok(Loaded::Again) => {}
                Ok(Loaded::Anew) => self.load_anew().await?,
                Err(error) if self.connection.is_lost() && !cut_off => {
                    tracing::debug!(%error, "a read was cut off");
                    cut_off = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    #[inline(never)]
    fn load_anew(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let tx = self.begin(&[LOG, META], Mode::Read, "read").await?;
            reload::anew(&IdbTx::new(&tx), &self.codec, &self.memory).await
        })
    }

    /// Does the work that follows a commit.
    fn tell(&self, batch: &WriteBatch, revision: Revision) {
        self.siblings();
        if let Some(feed) = &*self.feed.borrow() {
            feed.tell(revision, touched(batch));
        }
        let head = self.memory.borrow().head;
        self.canary.note(Census {
            rooms: head.sums.of(Collection::Rooms).rows,
            unsent: head.sums.of(Collection::Pending).rows,
            revision: head.revision,
        });
        if batch.ops().iter().any(|op| matches!(op, Op::PutPending(_))) {
            ask_persistence();
        }
    }

    /// Commits a batch; one after the other in this context.
    async fn commit(self: &Rc<Self>, batch: &WriteBatch) -> Result<Commit> {
        let _turn = self.turn.lock().await;
        let (mut by_hand, mut cut_off, mut ballast) = (false, false, false);
        loop {
            let number = self.memory.borrow().number;
            let outcome = commit::prepare(&self.memory.borrow(), &self.codec, batch);
            let draft = match outcome {
                Ok(Outcome::Lacks(faults)) => {
                    self.load(faults).await?;
                    continue;
                }
                Ok(Outcome::Draft(draft)) => draft,
                // Only the latest state of the store refuses a batch, or says that it changes nothing.
                decided => {
                    self.load(Vec::new()).await?;
                    if self.memory.borrow().number != number {
                        continue;
                    }
                    self.memory.borrow_mut().tables.forget(Table::Chunks);
                    return match decided? {
                        Outcome::Unchanged(commit) => Ok(commit),
                        _ => Err(mixed_up("apply")),
                    };
                }
            };
            match self.write(&draft, batch.durability(), by_hand).await {
                Ok(true) => {
                    let mut memory = self.memory.borrow_mut();
                    memory.tables.forget(Table::Chunks);
                    return Ok(commit::written(&mut memory, *draft));
                }
                Ok(false) => {
                    self.load(Vec::new()).await?;
                    by_hand = self.memory.borrow().number == number;
                }
                // A transaction that the browser cut off by closing the database was aborted: it is done again, once.
                Err(error) if self.connection.is_lost() && !cut_off => {
                    tracing::debug!(%error, "a write was cut off");
                    cut_off = true;
                    self.load(Vec::new()).await?;
                }
                Err(error) if error.kind() == ErrorKind::Full && is_worth(batch) && !ballast => {
                    ballast = true;
                    if !self.drop_ballast().await? {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes a draft. Tells whether it is the next commit.
    async fn write(&self, draft: &Draft, durability: Durability, by_hand: bool) -> Result<bool> {
        let is_large = draft.is_large();
        let stores: &[&str] = match (draft.has_chunks(), draft.erases) {
            _ if is_large => &ALL,
            (true, false) => &[LOG, Table::Chunks.name()],
            (true, true) => &[LOG, Table::Chunks.name(), META],
            (false, true) => &[LOG, META],
            (false, false) => &[LOG],
        };
        let tx = self.begin(stores, Mode::Write(durability), "apply").await?;
        let kv = IdbTx::new(&tx);
        let written =
            if is_large { fold::commit(&kv, draft).await } else { commit::write(&kv, draft, by_hand).await };
        if let Ok(true) = written {
            tx.done().await?;
        } else {
            tx.abort();
        }
        written
    }

    /// Begins a transaction. After the database had to be opened again, it makes sure that it is the same store:
    /// another context may have deleted it and made another.
    pub(super) async fn begin(
        &self,
        stores: &[&str],
        mode: Mode,
        operation: &'static str,
    ) -> Result<Transaction> {
        self.check(operation)?;
        if self.connection.opened() == self.opened.get() {
            let tx = self.connection.begin(stores, mode, operation).await?;
            if self.connection.opened() == self.opened.get() {
                return Ok(tx);
            }
        }
        self.make_sure(operation).await?;
        self.connection.begin(stores, mode, operation).await
    }

    #[inline(never)]
    fn make_sure(&self, operation: &'static str) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let all = self.connection.begin(&ALL, Mode::Read, operation).await?;
            let opened = self.connection.opened();
            if IdbTx::new(&all).named(ID).await?.as_deref() != Some(&self.id.to_bytes()) {
                return Err(self.connection.erased(operation));
            }
            self.opened.set(opened);
            Ok(())
        })
    }

    /// Runs one step of a chore, in one transaction.
    pub(super) async fn step(&self, step: Chore) -> Result<Stepped> {
        let mut cut_off = false;
        let done = loop {
            match self.step_once(&step).await {
                Err(error) if self.connection.is_lost() && !cut_off => {
                    tracing::debug!(%error, "a chore was cut off");
                    cut_off = true;
                }
                done => break done?,
            }
        };
        self.adopt(done.keyring.as_deref())?;
        self.stale.set(true);
        Ok(done)
    }

    async fn step_once(&self, step: &Chore) -> Result<Stepped> {
        let mode = if step.writes() { Mode::Write(Durability::Relaxed) } else { Mode::Read };
        let tx = self.begin(&ALL, mode, "maintain").await?;
        let done = step.clone().run(&IdbTx::new(&tx), &self.codec).await;
        finish(tx, done).await
    }

    /// Changes the keys; returns the keyring's record.
    pub(super) async fn change_keys(&self, change: &KeyChange) -> Result<Vec<u8>> {
        let _turn = self.turn.lock().await;
        let tx = self.begin(&[META, LOG], Mode::Write(Durability::Strict), "keys").await?;
        let record = chores::change_keys(&IdbTx::new(&tx), &self.codec, change).await;
        let record = finish(tx, record).await;
        self.stale.set(true);
        record
    }

    pub(super) fn adopt(&self, record: Option<&[u8]>) -> Result<()> {
        if let (Some(keyring), Some(record)) = (self.codec.keyring(), record) {
            keyring.adopt(record)?;
        }
        Ok(())
    }

    #[inline(never)]
    fn refresh_keys(&self) -> LocalBoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let tx = self.begin(&[META], Mode::Read, "keys").await?;
            reload::adopt(&IdbTx::new(&tx), &self.codec).await
        })
    }
}

/// Tells this context's subscribers of others' commits that were read, if those contexts do not tell of them themselves,
/// which says what changed.
async fn missed(inner: Weak<Inner>, revision: Revision) {
    sleep(PATIENCE_MS).await;
    if let Some(inner) = inner.upgrade()
        && let Some(feed) = &*inner.feed.borrow()
    {
        feed.saw(revision);
    }
}

/// Commits a transaction if its work succeeded, and aborts it otherwise.
async fn finish<T>(tx: Transaction, done: Result<T>) -> Result<T> {
    match done {
        Ok(done) => tx.done().await.map(|()| done),
        Err(error) => {
            tx.abort();
            Err(error)
        }
    }
}

/// Runs one step of a chore, in a task of its own.
pub(super) async fn step(inner: &Rc<Inner>, step: Chore) -> Result<Stepped> {
    let inner = Rc::clone(inner);
    alone("maintain", Box::pin(async move { inner.step(step).await })).await
}
