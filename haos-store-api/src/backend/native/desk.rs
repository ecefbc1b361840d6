//! The turn to write: the writing thread's, or for one short batch a caller's, since two thread wake-ups cost more than
//! such a batch.

use std::sync::{Mutex, MutexGuard, TryLockError};

use super::backend::Backend;
use super::job::{Submission, Writer};
use crate::{ChangeHub, Commit, Durability, Op, Result, WriteBatch};

/// The approximate limit of rows that a short batch writes.
const SHORT_ROWS: usize = 64;
/// The limit of media bytes that a short batch writes.
const SHORT_BYTES: usize = 64 << 10;

/// The backend of an open store.
pub(super) struct Desk<B> {
    pub(super) hub: ChangeHub,
    turn: Mutex<Turn<B>>,
}

/// The state of the one whose turn it is.
pub(super) struct Turn<B> {
    /// Absent once the store has ended.
    backend: Option<B>,
    /// True once the writer has done something: it is open.
    is_ready: bool,
}

impl<B: Backend> Turn<B> {
    /// # Errors
    /// `Closed` once the store has ended, and those of [`Backend::writer`].
    pub(super) fn writer(&mut self, hub: &ChangeHub) -> Result<&mut B::Writer> {
        let backend = self.backend.as_mut().ok_or_else(|| super::error::ended("apply"))?;
        let writer = backend.writer(hub)?;
        self.is_ready = true;
        Ok(writer)
    }
}

impl<B: Backend> Desk<B> {
    pub(super) fn new(backend: B, hub: ChangeHub) -> Self {
        Self { hub, turn: Mutex::new(Turn { backend: Some(backend), is_ready: false }) }
    }

    /// Waits for the turn; `None` if its last holder panicked, whose state is not used again.
    pub(super) fn lock(&self) -> Option<MutexGuard<'_, Turn<B>>> {
        self.turn.lock().ok()
    }

    /// Tells whether an idle writer should look for commits of other processes.
    pub(super) fn is_followed(&self) -> bool {
        B::SHARED && self.hub.has_subscribers() && self.lock().is_some_and(|turn| turn.is_ready)
    }

    /// Applies a short batch on this thread, if the turn is free and the writer waits for nothing. Gives it back
    /// otherwise.
    pub(super) fn apply_at_once(&self, request: Submission) -> Result<Result<Commit>, Submission> {
        let mut turn = match self.turn.try_lock() {
            Ok(turn) if turn.is_ready => turn,
            Ok(_) | Err(TryLockError::WouldBlock | TryLockError::Poisoned(_)) => return Err(request),
        };
        let Ok(writer) = turn.writer(&self.hub) else { return Err(request) };
        let Some(done) = writer.commit_at_once(&request) else { return Err(request) };
        if let Ok(commit) = &done {
            // While the turn lasts, so that the feed has the order of the commits.
            request.publish(&self.hub, commit);
        }
        Ok(done)
    }

    /// Closes the store.
    pub(super) fn finish(&self) {
        if let Some(backend) = self.lock().and_then(|mut turn| turn.backend.take()) {
            backend.finish();
        }
    }
}

/// Tells whether a batch waits for no disk and takes no longer than to wake a thread.
pub(super) fn is_short(batch: &WriteBatch) -> bool {
    let mut bytes = 0;
    let is_short = |op: &Op| match op {
        Op::PutMedia(_, more) | Op::AppendMedia { bytes: more, .. } => {
            bytes += more.len();
            bytes <= SHORT_BYTES
        }
        Op::Renumber(_, moves) => moves.len() <= SHORT_ROWS,
        Op::TouchMedia(keys, _) => keys.len() <= SHORT_ROWS,
        Op::RemoveRoom(_) | Op::Prune(_) | Op::EvictMedia(..) | Op::RemoveMedia(_) => false,
        _ => true,
    };
    batch.durability() == Durability::Relaxed
        && batch.ops().len() <= SHORT_ROWS
        && batch.ops().iter().all(is_short)
}
