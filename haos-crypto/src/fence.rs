//! One writer at a time: every write expects the mark of the one before, and leaves its own.
//!
//! A machine keeps ratchets in memory. Two machines over one account, in two tabs or in an application and its
//! notification service, would both go on from the same step, and encrypt two texts under one key. A lease does not keep
//! them apart: a process that was frozen holds one that expired, and does not know. The mark does: the later write of two
//! finds another mark than it expects, and nothing of it is stored; a machine gives ciphertext out only once its step is
//! stored.

use haos_store_api::{Json, StorageAdapter};
use matrix_sdk_common::ruma::TransactionId;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::place::{one, single};
use crate::value::{decode, encode};

/// The mark of a write: its number, and the context that it is of. So no mark comes twice, also not after an account was
/// cleared and begun anew.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    n: u64,
    by: String,
}

/// What this context knows of the marks.
#[derive(Debug)]
pub(crate) struct Fence {
    /// The mark that the next write expects.
    held: Option<Json>,
    /// The mark of a write of which nobody knows whether it was stored: its call failed, or was dropped.
    tried: Option<Json>,
    n: u64,
    by: String,
}

impl Fence {
    /// Reads the mark: before all else, so that whatever is read later is no older.
    pub(crate) async fn read(store: &dyn StorageAdapter) -> Result<Self> {
        let held = stored(store).await?;
        let n =
            held.as_ref().map(|mark| decode::<Mark>("the fence", mark)).transpose()?.map_or(0, |mark| mark.n);
        // Random.
        Ok(Self { held, tried: None, n, by: TransactionId::new().to_string() })
    }

    /// Finds out what became of a write without an answer. Fails if another context wrote meanwhile.
    pub(crate) async fn settle(&mut self, store: &dyn StorageAdapter) -> Result<()> {
        if self.tried.is_some() {
            let stored = stored(store).await?;
            if stored == self.tried {
                self.held = self.tried.take();
            } else if stored == self.held {
                self.tried = None;
            } else {
                return Err(Error::Stale);
            }
        }
        Ok(())
    }

    /// Returns the mark to be expected, and the one to be left.
    pub(crate) fn step(&mut self) -> Result<(Option<Json>, Json)> {
        self.n += 1;
        let next = encode(&Mark { n: self.n, by: self.by.clone() })?;
        self.tried = Some(next.clone());
        Ok((self.held.clone(), next))
    }

    /// Notes that the write of the last step is stored.
    pub(crate) fn stepped(&mut self) {
        self.held = self.tried.take();
    }

    /// Takes a number for a write that waits for others.
    pub(crate) fn pass(&mut self) {
        self.n += 1;
    }

    /// Returns the number of the next write: greater than that of every write before.
    pub(crate) fn next(&self) -> u64 {
        self.n + 1
    }
}

async fn stored(store: &dyn StorageAdapter) -> Result<Option<Json>> {
    Ok(store.state(one(single::FENCE)?.query()).await?.pop().map(|entry| entry.value))
}
