//! Folds in idle moments, in one context at a time.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use haos_store_api::Result;
use haos_web::{Lock, locks_available, sleep};
use wasm_bindgen_futures::spawn_local;

use super::{Inner, Stage};
use crate::engine::chores::Chore;

/// The commits in the log, and the bytes of them, from which on a fold is worth it.
const WORTH: (u64, usize) = (64, 128 << 10);
/// Those from which on it does not wait for an idle moment.
const URGENT: (u64, usize) = (2048, 2 << 20);
/// The time without a read or a write before a fold, in milliseconds.
const QUIET_MS: u32 = 1500;
/// The pause between two folds, in which others come in between.
const PAUSE_MS: u32 = 20;

/// When to fold.
#[derive(Default)]
pub(super) struct Idle {
    /// Counts reads and commits, to notice that there are any.
    calls: Cell<u64>,
    scheduled: Cell<bool>,
}

impl Idle {
    /// Notes a read or a commit.
    pub(super) fn busy(&self) {
        self.calls.set(self.calls.get() + 1);
    }
}

impl Inner {
    /// Plans a fold if the log is worth it.
    pub(super) fn plan_fold(self: &Rc<Self>) {
        if self.has_log(WORTH) && !self.idle.scheduled.replace(true) {
            spawn_local(wait(Rc::downgrade(self)));
        }
    }

    fn has_log(&self, (commits, bytes): (u64, usize)) -> bool {
        let memory = self.memory.borrow();
        memory.tail.commits >= commits || memory.tail.bytes >= bytes
    }
}

/// Waits for an idle moment and folds. It holds the store only while it works.
async fn wait(inner: Weak<Inner>) {
    loop {
        let Some(before) = inner.upgrade().map(|inner| inner.idle.calls.get()) else { return };
        sleep(QUIET_MS).await;
        let Some(inner) = inner.upgrade() else { return };
        if inner.idle.calls.get() == before || inner.has_log(URGENT) {
            if let Err(error) = fold(&inner).await {
                // Nothing is lost: the log stays as it is.
                tracing::debug!(%error, "a fold was cut off");
            }
            inner.idle.scheduled.set(false);
            return;
        }
    }
}

async fn fold(inner: &Rc<Inner>) -> Result<()> {
    let _lock = if locks_available() {
        match Lock::try_acquire(&format!("haos.fold.{}", inner.name)).await {
            Ok(Some(lock)) => Some(lock),
            // Another context is at work.
            Ok(None) => return Ok(()),
            Err(error) => {
                tracing::debug!(%error, "no lock for a fold");
                None
            }
        }
    } else {
        None
    };
    while inner.stage.get() == Stage::Open && inner.step(Chore::Fold).await?.more {
        sleep(PAUSE_MS).await;
    }
    // The tail goes into what is known of the tables.
    inner.load(Vec::new()).await
}
