//! The turn to write: the writing thread's, or for one short batch a caller's, since two thread wake-ups cost more than
//! such a batch.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::backend::Backend;
use super::job::{Submission, Writer};
use super::mirror::Keeper;
use crate::{ChangeHub, Commit, Durability, Op, Result, WriteBatch};

/// The approximate limit of rows that a short batch writes.
const SHORT_ROWS: usize = 64;
/// The limit of media bytes that a short batch writes.
const SHORT_BYTES: usize = 64 << 10;

/// The backend of an open store.
pub(super) struct Desk<B> {
    pub(super) hub: ChangeHub,
    turn: Mutex<Turn<B>>,
    is_untidy: AtomicBool,
}

/// The state of the one whose turn it is.
pub(super) struct Turn<B> {
    /// Absent once the store has ended.
    backend: Option<B>,
    keeper: Keeper,
    /// True once the writer has done something: it is open.
    is_ready: bool,
}

impl<B: Backend> Turn<B> {
    /// # Errors
    /// `Closed` once the store has ended, and those of [`Backend::writer`].
    pub(super) fn tools(&mut self, hub: &ChangeHub) -> Result<(&mut B::Writer, &mut Keeper)> {
        let backend = self.backend.as_mut().ok_or_else(|| super::error::ended("apply"))?;
        let writer = backend.writer(hub)?;
        self.is_ready = true;
        Ok((writer, &mut self.keeper))
    }
}

/// A turn that is held. A panic of its holder takes the backend away: what it was doing is undone, and nothing is done
/// with it again.
pub(super) struct Held<'d, B>(MutexGuard<'d, Turn<B>>);

impl<B> Deref for Held<'_, B> {
    type Target = Turn<B>;

    fn deref(&self) -> &Turn<B> {
        &self.0
    }
}

impl<B> DerefMut for Held<'_, B> {
    fn deref_mut(&mut self) -> &mut Turn<B> {
        &mut self.0
    }
}

impl<B> Drop for Held<'_, B> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.backend = None;
        }
    }
}

impl<B: Backend> Desk<B> {
    pub(super) fn new(backend: B, keeper: Keeper, hub: ChangeHub) -> Self {
        let turn = Turn { backend: Some(backend), keeper, is_ready: false };
        Self { hub, turn: Mutex::new(turn), is_untidy: AtomicBool::new(false) }
    }

    /// Tells, once, whether the writing thread has something to tidy up.
    pub(super) fn is_untidy(&self) -> bool {
        self.is_untidy.swap(false, Ordering::Relaxed)
    }

    /// Waits for the turn.
    pub(super) fn lock(&self) -> Held<'_, B> {
        Held(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells whether an idle writer should look for commits of other processes.
    pub(super) fn is_followed(&self) -> bool {
        B::SHARED && self.hub.has_subscribers() && self.lock().is_ready
    }

    /// Applies a short batch on this thread, if the turn is free and the writer waits for nothing. Gives it back
    /// otherwise.
    pub(super) fn apply_at_once(&self, mut request: Submission) -> Result<Result<Commit>, Submission> {
        let mut turn = match self.turn.try_lock() {
            Ok(turn) if turn.is_ready => Held(turn),
            Ok(_) | Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return Err(request),
        };
        let Ok((writer, keeper)) = turn.tools(&self.hub) else { return Err(request) };
        let txns = keeper.before(writer, [&request]);
        let Some(done) = writer.commit_at_once(&request) else { return Err(request) };
        keeper.after(writer, &txns);
        if keeper.is_due() {
            self.is_untidy.store(true, Ordering::Relaxed);
        }
        if let Ok(commit) = &done {
            // While the turn lasts, so that the feed has the order of the commits.
            request.publish(&self.hub, commit);
        }
        Ok(done)
    }

    /// Closes the store.
    pub(super) fn finish(&self) {
        let mut turn = self.lock();
        if turn.is_ready
            && let Ok((writer, keeper)) = turn.tools(&self.hub)
        {
            keeper.close(writer);
        }
        // With its handle.
        turn.keeper = Keeper::off();
        let backend = turn.backend.take();
        drop(turn);
        if let Some(backend) = backend {
            backend.finish();
        }
    }
}

/// Tells whether a batch waits for no disk and takes no longer than to wake a thread.
pub(super) fn is_short(batch: &WriteBatch) -> bool {
    let (mut rows, mut bytes) = (0, 0);
    for op in batch.ops() {
        rows += match op {
            // What they take away is not bounded.
            Op::RemoveRoom(_)
            | Op::Prune(_)
            | Op::EvictMedia(..)
            | Op::RemoveMedia(_)
            | Op::RenameMedia(..) => {
                return false;
            }
            Op::Renumber(_, moves) => moves.len(),
            Op::TouchMedia(keys, _) => keys.len(),
            _ => 1,
        };
        bytes += match op {
            Op::PutMedia(_, bytes) | Op::AppendMedia { bytes, .. } => bytes.len(),
            Op::PutMessage(message) => {
                message.content.as_str().len()
                    + message.extra.as_ref().map_or(0, |extra| extra.as_str().len())
            }
            Op::PutState(entry) => entry.value.as_str().len(),
            _ => 0,
        };
    }
    batch.durability() == Durability::Relaxed && rows <= SHORT_ROWS && bytes <= SHORT_BYTES
}
