//! Transactions: how a read, a write and a step of a chore are run.

use std::rc::Rc;

use haos_store_api::*;
use tokio::sync::oneshot;
use wasm_bindgen_futures::spawn_local;

use super::open::ID;
use super::{IdbTx, Inner, KEYRING, Reader, closed};
use crate::durability::{Census, ask_persistence};
use crate::engine::chores::{Step, Stepped};
use crate::engine::{apply as engine_apply, kv::Kv};
use crate::idb::{Mode, Transaction};
use crate::schema;

/// Runs in a task of its own what uses a transaction. A caller that is busy with something else when a request
/// is answered would let the browser end the transaction before the next request: a read would fail, and of a
/// write half would be there.
pub(super) async fn alone<T: 'static>(
    operation: &'static str,
    work: impl Future<Output = Result<T>> + 'static,
) -> Result<T> {
    let (reply, answer) = oneshot::channel();
    spawn_local(async move {
        let done = work.await;
        // The caller may have gone meanwhile.
        let _ = reply.send(done);
    });
    answer.await.map_err(|_| closed(operation, "the store's task has ended: open the store again"))?
}

/// Applies a batch in a task of its own: whoever drops the call does not tear it, and the commit is told.
pub(super) async fn apply(inner: &Rc<Inner>, batch: WriteBatch) -> Result<Commit> {
    inner.check("apply")?;
    let inner = Rc::clone(inner);
    let accepted = inner.accepted.clone().try_read_owned();
    let Ok(accepted) = accepted else {
        return Err(closed("apply", "the store is being closed: open it again"));
    };
    let work = async move {
        let done = inner.apply(&batch).await;
        drop(accepted);
        done
    };
    alone("apply", work).await
}

impl Inner {
    async fn apply(self: &Rc<Self>, batch: &WriteBatch) -> Result<Commit> {
        let write = async |kv: &IdbTx<'_>, codec: &Codec| engine_apply::apply(kv, codec, batch).await;
        let written = self.write("apply", batch.durability(), write).await?;
        if written.commit.changed {
            self.tell(batch, &written);
            self.idle.note(self, &written.litter);
        }
        Ok(written.commit)
    }

    /// What follows a commit.
    fn tell(&self, batch: &WriteBatch, written: &engine_apply::Written) {
        if let Some(feed) = &*self.feed.borrow() {
            feed.tell(written.commit.revision, touched(batch));
        }
        let rows = |of: Collection| {
            let usage = written.head.usage();
            usage.collections.iter().find(|(one, _)| *one == of).map_or(0, |(_, size)| size.rows)
        };
        self.canary.note(Census {
            rooms: rows(Collection::Rooms),
            unsent: rows(Collection::Pending),
            revision: written.commit.revision,
        });
        if batch.ops().iter().any(|op| matches!(op, Op::PutPending(_))) {
            ask_persistence();
        }
    }

    /// Runs something within a writing transaction, and commits it. What the browser cut off by closing the
    /// database was aborted: it is done again, once.
    pub(super) async fn write<T>(
        &self,
        operation: &'static str,
        durability: Durability,
        work: impl AsyncFn(&IdbTx<'_>, &Codec) -> Result<T>,
    ) -> Result<T> {
        match self.write_once(operation, durability, &work).await {
            Err(error) if self.connection.is_lost() => {
                tracing::debug!(%error, "a write was cut off");
                self.write_once(operation, durability, &work).await
            }
            done => done,
        }
    }

    async fn write_once<T>(
        &self,
        operation: &'static str,
        durability: Durability,
        work: &impl AsyncFn(&IdbTx<'_>, &Codec) -> Result<T>,
    ) -> Result<T> {
        let tx = self.begin(Mode::Write(durability), operation).await?;
        match work(&IdbTx::new(&tx), &self.codec).await {
            Ok(done) => tx.done().await.map(|()| done),
            Err(error) => {
                tx.abort();
                Err(error)
            }
        }
    }

    /// Begins a transaction. After the database had to be opened again, it makes sure that it is the same
    /// store: somebody may have deleted it and made another.
    async fn begin(&self, mode: Mode, operation: &'static str) -> Result<Transaction> {
        self.check(operation)?;
        let tx = self.connection.begin(&schema::ALL, mode, operation).await?;
        let opened = self.connection.opened();
        if opened != self.opened.get() {
            if IdbTx::new(&tx).named(ID).await?.as_deref() != Some(&self.id.to_bytes()) {
                return Err(self.connection.erased(operation));
            }
            self.opened.set(opened);
        }
        Ok(tx)
    }

    /// Reads in a task of its own; see [`alone`].
    pub(super) async fn read_alone<T: 'static>(
        self: &Rc<Self>,
        operation: &'static str,
        work: impl AsyncFn(Reader<'_, IdbTx<'_>>) -> Result<T> + 'static,
    ) -> Result<T> {
        let inner = Rc::clone(self);
        alone(operation, async move { inner.read(operation, work).await }).await
    }

    /// Reads within one transaction: whole commits only.
    pub(super) async fn read<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFn(Reader<'_, IdbTx<'_>>) -> Result<T>,
    ) -> Result<T> {
        let read = self.read_once(operation, &work).await;
        match read {
            Err(error) if self.connection.is_lost() => {
                tracing::debug!(%error, "a read was cut off");
                self.read_once(operation, &work).await
            }
            // Another context may have changed the keys.
            Err(error) if error.kind() == ErrorKind::WrongKey && self.codec.is_sealed() => {
                if self.refresh_keys().await? { self.read_once(operation, &work).await } else { Err(error) }
            }
            other => other,
        }
    }

    async fn read_once<T>(
        &self,
        operation: &'static str,
        work: &impl AsyncFn(Reader<'_, IdbTx<'_>>) -> Result<T>,
    ) -> Result<T> {
        let tx = self.begin(Mode::Read, operation).await?;
        work(Reader { kv: &IdbTx::new(&tx), codec: &self.codec }).await
    }

    /// One step of a chore.
    pub(super) async fn step(&self, step: Step) -> Result<Stepped> {
        if !step.writes() {
            let read = async |reader: Reader<'_, IdbTx<'_>>| step.clone().run(reader.kv, reader.codec).await;
            return self.read("maintain", read).await;
        }
        let write = async |kv: &IdbTx<'_>, codec: &Codec| step.clone().run(kv, codec).await;
        let done = self.write("maintain", Durability::Relaxed, write).await?;
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
        let named = async |reader: Reader<'_, IdbTx<'_>>| reader.kv.named(KEYRING).await;
        match (self.codec.keyring(), self.read_once("keys", &named).await?) {
            (Some(keyring), Some(record)) => keyring.adopt(&record),
            _ => Ok(false),
        }
    }
}
