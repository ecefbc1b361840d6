//! A store that fails: before a write, after it, for a while; and forgets what no power loss spares.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use haos_store_api::*;

use crate::state::SharedSim;
use haos_queue::machine::Class;

/// A context's view of the rows: every call may wait, and may fail as the plan says.
pub struct FaultyStore {
    state: SharedSim,
    rows: MemoryStore,
    /// The context's name in leases, once it has one.
    owner: Arc<std::sync::OnceLock<String>>,
    closed: AtomicBool,
}

impl FaultyStore {
    pub(crate) fn new(state: SharedSim, rows: MemoryStore, owner: Arc<std::sync::OnceLock<String>>) -> Self {
        Self { state, rows, owner, closed: AtomicBool::new(false) }
    }

    /// Waits as storage does, and fails if it is time to.
    async fn enter(&self, operation: &'static str) -> Result<()> {
        let wait = self.state.storage_wait();
        self.state.clock().sleep(wait).await;
        if self.closed.load(Ordering::Relaxed) {
            return Err(Error::new(
                ErrorKind::Closed,
                operation,
                "the outcome of a commit is unknown: reopen",
            ));
        }
        match self.state.storage_fault() {
            Some(kind) => Err(Error::new(kind, operation, "simulated")),
            None => Ok(()),
        }
    }

    /// The outbox rows that a batch is about, as they are before it.
    fn before(&self, batch: &WriteBatch) -> Vec<(Option<Pending>, Option<Pending>)> {
        let rows = batch.ops().iter().filter_map(|op| match op {
            Op::PutPending(row) => Some((peek(&self.rows, &row.txn_id), Some(row.clone()))),
            Op::RemovePending(txn_id) => Some((peek(&self.rows, txn_id), None)),
            _ => None,
        });
        rows.collect()
    }
}

/// A row as it is now, past all faults.
pub(crate) fn peek(rows: &MemoryStore, txn_id: &TxnId) -> Option<Pending> {
    let query = PendingQuery { txn_id: Some(txn_id.clone()), ..PendingQuery::default() };
    rows.pending(query).now_or_never()?.ok()?.into_iter().next()
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

#[async_trait]
impl StorageAdapter for FaultyStore {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        self.enter("apply").await?;
        if self.state.is_full(&batch) {
            return Err(Error::new(ErrorKind::Full, "apply", "simulated"));
        }
        let before = self.before(&batch);
        let commit = self.rows.apply(batch.clone()).await.inspect_err(|e| {
            // No fault explains a batch that breaks the contract.
            if e.kind() == ErrorKind::Invalid {
                self.state.with(|sim| sim.truth.broken("errors", format!("a batch was refused: {e}")));
            }
        })?;
        self.state.committed(self.owner.get().map_or("", String::as_str), batch, &commit, before);
        if self.state.loses_outcome() {
            self.closed.store(true, Ordering::Relaxed);
            return Err(Error::new(ErrorKind::Closed, "apply", "simulated: the outcome is unknown"));
        }
        // A crash may fall between the commit and whoever waits for it.
        self.state.clock().sleep(self.state.storage_wait()).await;
        Ok(commit)
    }

    forward_store! { self => self.rows; before enter; except apply }
}

/// Every batch since the beginning, for power losses: what was not `Strict` may be gone.
#[derive(Debug, Default)]
pub(crate) struct Log {
    batches: Vec<WriteBatch>,
    /// How many of them surely survive.
    durable: usize,
}

impl Log {
    pub(crate) fn push(&mut self, batch: WriteBatch) {
        let strict = batch.durability() == Durability::Strict;
        self.batches.push(batch);
        if strict {
            self.durable = self.batches.len();
        }
    }

    /// How many batches a power loss may take.
    pub(crate) fn at_risk(&self) -> usize {
        self.batches.len() - self.durable
    }

    /// The store after a power loss that spared this number of those at risk.
    ///
    /// # Errors
    /// Those of a batch that was applied once and is not applied again.
    pub(crate) fn survivors(&mut self, spared: usize) -> Result<MemoryStore> {
        self.batches.truncate(self.durable + spared);
        self.durable = self.batches.len();
        self.copy()
    }

    /// A store with all of them.
    ///
    /// # Errors
    /// Those of a batch that was applied once and is not applied again.
    pub(crate) fn copy(&self) -> Result<MemoryStore> {
        let rows = MemoryStore::new();
        for batch in &self.batches {
            rows.apply(batch.clone()).now_or_never().transpose()?;
        }
        Ok(rows)
    }
}

/// The rows that a batch wrote, by class.
pub(crate) fn classes(batch: &WriteBatch) -> impl Iterator<Item = (&TxnId, &RoomId, Class)> {
    batch.ops().iter().filter_map(|op| match op {
        Op::PutPending(row) => Some((&row.txn_id, &row.room, Class::of(row))),
        _ => None,
    })
}
