//! A store that fails at a write of one's choice, or where the process dies at it.

use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use haos_sim::Chance;
use haos_store_api::*;

/// A failure of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// The process dies before it.
    DieBefore,
    /// The process dies after it.
    DieAfter,
    /// It fails.
    Fail(ErrorKind),
}

#[derive(Default)]
pub(crate) struct Plan {
    /// Writes so far.
    pub(crate) writes: u64,
    /// The failure, and the number of its write.
    pub(crate) blow: Option<(u64, Blow)>,
    /// The failure of each write.
    pub(crate) always: Option<Blow>,
    /// Failures by chance, in this number of 100 writes.
    pub(crate) percent: u64,
    pub(crate) chance: Option<Chance>,
    pub(crate) dead: bool,
}

pub(crate) struct Brittle {
    pub(crate) rows: MemoryStore,
    pub(crate) plan: Arc<Mutex<Plan>>,
}

impl fmt::Debug for Brittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brittle")
    }
}

impl Brittle {
    fn blow(&self) -> Option<Blow> {
        let mut plan = self.plan.lock().unwrap();
        plan.writes += 1;
        if plan.always.is_some() {
            return plan.always;
        }
        if let Some((at, blow)) = plan.blow
            && at == plan.writes
        {
            plan.dead |= !matches!(blow, Blow::Fail(_));
            return Some(blow);
        }
        let percent = plan.percent;
        let chance = plan.chance.as_mut()?;
        let kinds = [ErrorKind::Busy, ErrorKind::Io, ErrorKind::Full, ErrorKind::Other];
        let failing = chance.percent(percent);
        failing.then(|| Blow::Fail(*chance.pick(&kinds).unwrap()))
    }
}

#[async_trait]
impl StorageAdapter for Brittle {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        match self.blow() {
            Some(Blow::DieBefore) => std::future::pending().await,
            Some(Blow::DieAfter) => {
                self.rows.apply(batch).await?;
                std::future::pending().await
            }
            Some(Blow::Fail(kind)) => Err(Error::new(kind, "apply", "on purpose")),
            None => self.rows.apply(batch).await,
        }
    }

    forward_store! { self => self.rows; except apply }
}
