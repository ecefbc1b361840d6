use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use haos_store_api::*;

use crate::Chance;

/// A failure of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// The process dies before it.
    DieBefore,
    /// The process dies after it.
    DieAfter,
    /// It fails.
    Fail(ErrorKind),
}

/// The failures of a [`Brittle`] store.
#[derive(Debug, Default)]
pub struct Blows {
    /// Writes so far.
    pub writes: u64,
    /// A failure, and the numbers of its writes, from 1.
    pub blow: Option<(RangeInclusive<u64>, Blow)>,
    /// Failures by chance, in this number of 100 writes.
    pub percent: u64,
    /// The chance; none, and nothing fails by it.
    pub chance: Option<Chance>,
    /// The process has died.
    pub dead: bool,
}

impl Blows {
    /// Lets a failure fall once `ahead` more writes are through.
    pub fn after(&mut self, ahead: u64, blow: Blow) {
        let write = self.writes + 1 + ahead;
        self.blow = Some((write..=write, blow));
    }

    /// The failure of one more write.
    fn fall(&mut self) -> Option<Blow> {
        self.writes += 1;
        if let Some((writes, blow)) = &self.blow
            && writes.contains(&self.writes)
        {
            self.dead |= !matches!(blow, Blow::Fail(_));
            return Some(*blow);
        }
        let kinds = [ErrorKind::Busy, ErrorKind::Io, ErrorKind::Full, ErrorKind::Other];
        let chance = self.chance.as_mut()?;
        let falls = chance.percent(self.percent);
        falls.then(|| chance.pick(&kinds).copied().map(Blow::Fail)).flatten()
    }
}

/// A store that fails at a write of one's choice, or where the process dies at it: such a write never ends.
pub struct Brittle<S> {
    store: S,
    blows: Arc<Mutex<Blows>>,
}

impl<S> Brittle<S> {
    /// Puts it before a store.
    pub fn new(store: S, blows: Arc<Mutex<Blows>>) -> Self {
        Self { store, blows }
    }
}

impl<S> fmt::Debug for Brittle<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Brittle")
    }
}

#[async_trait]
impl<S: StorageAdapter> StorageAdapter for Brittle<S> {
    async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
        let blow = self.blows.lock().unwrap_or_else(PoisonError::into_inner).fall();
        match blow {
            Some(Blow::DieBefore) => std::future::pending().await,
            Some(Blow::DieAfter) => {
                self.store.apply(batch).await?;
                std::future::pending().await
            }
            Some(Blow::Fail(kind)) => Err(Error::new(kind, "apply", "on purpose")),
            None => self.store.apply(batch).await,
        }
    }

    forward_store! { self => self.store; except apply }
}
