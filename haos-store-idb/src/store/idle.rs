//! Compaction in idle moments, in one context at a time.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use haos_store_api::Result;
use haos_store_api::backend::Key;
use haos_web::{Lock, locks_available, sleep};
use wasm_bindgen_futures::spawn_local;

use super::{Inner, Stage};
use crate::engine::apply::Litter;
use crate::engine::chores::Chore;

/// The spare records of a room from which on a compaction is worth it.
const WORTH: u32 = 16;
/// The spare records of a room from which on it does not wait for an idle moment.
const URGENT: u32 = 2048;
/// The time without a read or a write before a compaction, in milliseconds.
const QUIET_MS: u32 = 1500;
/// The pause between two steps, in which others come in between.
const PAUSE_MS: u32 = 20;

/// The rooms that could be compacted.
#[derive(Default)]
pub(super) struct Idle {
    litter: RefCell<HashMap<Key, Litter>>,
    /// Counts reads and commits, to notice that there are any.
    calls: Cell<u64>,
    scheduled: Cell<bool>,
}

impl Idle {
    /// Notes a read.
    pub(super) fn busy(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    /// Notes the spare records of a commit.
    pub(super) fn note(&self, inner: &Rc<Inner>, litter: &[(Key, Litter)]) {
        self.calls.set(self.calls.get() + 1);
        let mut all = self.litter.borrow_mut();
        for (room, left) in litter {
            let sum = all.entry(*room).or_default();
            sum.records += left.records;
            sum.tail = if left.full { left.tail } else { sum.tail + left.tail };
        }
        let is_worth = litter.iter().any(|(room, _)| all.get(room).is_some_and(|sum| sum.records >= WORTH));
        if is_worth && !self.scheduled.replace(true) {
            spawn_local(wait(Rc::downgrade(inner)));
        }
    }

    /// Returns the most small segments at the end of a room, by this context's writes.
    pub(super) fn small(&self, room: &Key) -> usize {
        self.litter.borrow().get(room).map_or(0, |litter| litter.tail as usize)
    }

    /// Returns a room that is worth a compaction.
    fn next(&self) -> Option<Key> {
        let mut all = self.litter.borrow_mut();
        let room = all.iter().find(|(_, sum)| sum.records >= WORTH).map(|(room, _)| *room)?;
        all.remove(&room);
        Some(room)
    }

    fn is_urgent(&self) -> bool {
        self.litter.borrow().values().any(|sum| sum.records >= URGENT)
    }
}

/// Waits for an idle moment and compacts. It holds the store only while it works.
async fn wait(inner: Weak<Inner>) {
    loop {
        let Some(before) = inner.upgrade().map(|inner| inner.idle.calls.get()) else { return };
        sleep(QUIET_MS).await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.idle.calls.get() == before || inner.idle.is_urgent() {
            if let Err(error) = compact(&inner).await {
                // Nothing is lost: what is small stays small.
                tracing::debug!(%error, "a compaction was cut off");
            }
            inner.idle.scheduled.set(false);
            return;
        }
    }
}

async fn compact(inner: &Rc<Inner>) -> Result<()> {
    let _lock = if locks_available() {
        match Lock::try_acquire(&format!("haos.compact.{}", inner.name)).await {
            Ok(Some(lock)) => Some(lock),
            // Another context is at work.
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::debug!(%error, "no lock for a compaction");
                None
            }
        }
    } else {
        None
    };
    while let Some(room) = inner.idle.next() {
        let mut from = None;
        loop {
            if inner.stage.get() != Stage::Open {
                return Ok(());
            }
            from = inner.step(Chore::Compact(room, from)).await?.below;
            if from.is_none() {
                break;
            }
            sleep(PAUSE_MS).await;
        }
    }
    Ok(())
}
