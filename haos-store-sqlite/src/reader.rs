//! The thread that reads, and its queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use haos_store_api::Codec;
use rusqlite::Connection;

use crate::db::Db;

/// A read to be done, with its answer's way back inside.
pub(crate) type Read = Box<dyn FnOnce(Db<'_>) + Send>;

/// Reads that wait for the thread.
#[derive(Default)]
pub(crate) struct ReadQueue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(&'static str, Read)>,
    closed: bool,
}

impl ReadQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read unless the queue is closed.
    pub(crate) fn push(&self, operation: &'static str, read: Read) {
        let mut state = self.lock();
        if !state.closed {
            state.waiting.push_back((operation, read));
            drop(state);
            self.ready.notify_one();
        }
    }

    /// Takes no more reads; those that wait are still done.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    fn next(&self) -> Option<(&'static str, Read)> {
        let mut state = self.lock();
        loop {
            if let Some(next) = state.waiting.pop_front() {
                return Some(next);
            }
            if state.closed {
                return None;
            }
            state = self.ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Serves reads until the queue is closed.
    pub(crate) fn serve(&self, conn: &Connection, codec: &Codec) {
        while let Some((operation, read)) = self.next() {
            // A panic drops the answer's sender, which the caller sees; the other reads go on.
            let db = Db { conn, codec, operation };
            if catch_unwind(AssertUnwindSafe(|| read(db))).is_err() {
                tracing::error!(operation, "a read panicked");
            }
        }
    }
}
