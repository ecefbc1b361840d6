//! Transactions: the runs of reads and writes.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use haos_store_api::backend::*;
use haos_store_api::*;
use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

use super::ask::{Ask, Done, Told, Work};
use super::open::ID;
use super::{IdbTx, Inner, KEYRING, Reader, closed};
use crate::durability::{Census, ask_persistence};
use crate::engine::apply::Written;
use crate::engine::chores::{Chore, Stepped};
use crate::engine::kv::Kv;
use crate::idb::{Mode, Transaction};

/// Runs work with a transaction in a task of its own. A caller that is busy with something else when a request is
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
        let work = Work::Apply(batch);
        let done = inner.write(&work).await;
        drop(accepted);
        let (Done::Applied(mut written), Work::Apply(batch)) = (done?, work) else {
            return Err(mixed_up("apply"));
        };
        if written.commit.changed {
            *inner.known.borrow_mut() = written.known.take();
            inner.tell(&batch, &written);
            inner.idle.note(&inner, &written.litter);
            inner.keep_ballast(&batch);
        }
        Ok(written.commit)
    };
    alone("apply", Box::pin(work)).await
}

/// Reads in a task of its own; see [`alone`].
pub(super) async fn ask(inner: &Rc<Inner>, ask: Ask) -> Result<Told> {
    let inner = Rc::clone(inner);
    let (operation, _) = ask.about();
    alone(operation, Box::pin(async move { inner.read(&ask).await })).await
}

/// Writes in a task of its own.
pub(super) async fn write(inner: &Rc<Inner>, work: Work) -> Result<Done> {
    let inner = Rc::clone(inner);
    alone("write", Box::pin(async move { inner.write(&work).await })).await
}

/// Makes the error for an answer to another question, which cannot occur.
pub(super) fn mixed_up(operation: &'static str) -> Error {
    Error::new(ErrorKind::Other, operation, "an answer was mixed up: report this")
}

impl Inner {
    /// Does the work that follows a commit.
    fn tell(&self, batch: &WriteBatch, written: &Written) {
        if let Some(feed) = &*self.feed.borrow() {
            feed.tell(written.commit.revision, touched(batch));
        }
        let head = written.head;
        self.canary.note(Census {
            rooms: head.sums.of(Collection::Rooms).rows,
            unsent: head.sums.of(Collection::Pending).rows,
            revision: written.commit.revision,
        });
        if batch.ops().iter().any(|op| matches!(op, Op::PutPending(_))) {
            ask_persistence();
        }
    }

    /// Writes within one transaction, and commits it. A transaction that the browser cut off by closing the database
    /// was aborted: it is done again, once.
    pub(super) async fn write(&self, work: &Work) -> Result<Done> {
        match self.write_once(work).await {
            Err(error) if self.connection.is_lost() => {
                tracing::debug!(%error, "a write was cut off");
                self.write_once(work).await
            }
            Err(error) if error.kind() == ErrorKind::Full && work.is_worth_ballast() => {
                if self.drop_ballast().await? { self.write_once(work).await } else { Err(error) }
            }
            done => done,
        }
    }

    async fn write_once(&self, work: &Work) -> Result<Done> {
        let (operation, stores, durability) = work.about();
        loop {
            let tx = self.begin(&stores, Mode::Write(durability), operation).await?;
            match work.run(self, &IdbTx::new(&tx)).await {
                Ok(Some(done)) => return tx.done().await.map(|()| done),
                // The outdated knowledge is forgotten, so this happens once.
                Ok(None) => tx.abort(),
                Err(error) => {
                    tx.abort();
                    return Err(error);
                }
            }
        }
    }

    /// Begins a transaction. After the database had to be opened again, it makes sure that it is the same store:
    /// another context may have deleted it and made another.
    async fn begin(&self, stores: &[&str], mode: Mode, operation: &'static str) -> Result<Transaction> {
        self.check(operation)?;
        if self.connection.opened() == self.opened.get() {
            let tx = self.connection.begin(stores, mode, operation).await?;
            if self.connection.opened() == self.opened.get() {
                return Ok(tx);
            }
        }
        let all = self.connection.begin(&crate::schema::ALL, Mode::Read, operation).await?;
        let opened = self.connection.opened();
        if IdbTx::new(&all).named(ID).await?.as_deref() != Some(&self.id.to_bytes()) {
            return Err(self.connection.erased(operation));
        }
        self.opened.set(opened);
        self.connection.begin(stores, mode, operation).await
    }

    /// Reads within one transaction: whole commits only.
    pub(super) async fn read(&self, ask: &Ask) -> Result<Told> {
        self.idle.busy();
        match self.read_once(ask).await {
            Err(error) if self.connection.is_lost() => {
                tracing::debug!(%error, "a read was cut off");
                self.read_once(ask).await
            }
            // Another context may have changed the keys.
            Err(error) if error.kind() == ErrorKind::WrongKey && self.codec.is_sealed() => {
                if self.refresh_keys().await? { self.read_once(ask).await } else { Err(error) }
            }
            other => other,
        }
    }

    async fn read_once(&self, ask: &Ask) -> Result<Told> {
        let (operation, stores) = ask.about();
        let tx = self.begin(stores, Mode::Read, operation).await?;
        ask.run(Reader { kv: &IdbTx::new(&tx), codec: &self.codec }).await
    }

    /// Runs one step of a chore.
    pub(super) async fn step(&self, step: Chore) -> Result<Stepped> {
        if !step.writes() {
            let told = self.read(&Ask::Step(step)).await?;
            return if let Told::Step(done) = told { Ok(done) } else { Err(mixed_up("maintain")) };
        }
        let Done::Step(done) = self.write(&Work::Step(step)).await? else { return Err(mixed_up("maintain")) };
        self.adopt(done.keyring.as_deref())?;
        Ok(done)
    }

    pub(super) fn adopt(&self, record: Option<&[u8]>) -> Result<()> {
        if let (Some(keyring), Some(record)) = (self.codec.keyring(), record) {
            keyring.adopt(record)?;
        }
        Ok(())
    }

    async fn refresh_keys(&self) -> Result<bool> {
        match (self.codec.keyring(), self.read_once(&Ask::Named(KEYRING)).await?) {
            (Some(keyring), Told::Named(Some(record))) => keyring.adopt(&record),
            _ => Ok(false),
        }
    }
}

/// Runs one step of a chore, in a task of its own.
pub(super) async fn step(inner: &Rc<Inner>, step: Chore) -> Result<Stepped> {
    let inner = Rc::clone(inner);
    alone("maintain", Box::pin(async move { inner.step(step).await })).await
}
