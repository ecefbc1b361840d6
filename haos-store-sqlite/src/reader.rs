//! The thread that reads, and its queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use haos_store_api::{Codec, Result};

use crate::db::Db;
use crate::open::connect_reader;
use crate::options::SqliteOptions;

/// A read to be done, with its answer's way back inside; an error if there is no connection to read with.
pub(crate) type Read = Box<dyn FnOnce(Result<Db<'_>>) + Send>;

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

    /// Serves reads until the queue is closed. Its connection is opened with the first: many need none.
    pub(crate) fn serve(&self, options: &SqliteOptions, codec: &Codec) {
        let mut conn = None;
        while let Some((operation, read)) = self.next() {
            let found = match &conn {
                Some(conn) => Ok(conn),
                None => {
                    connect_reader(options, options.tuning().spare_kib).map(|opened| &*conn.insert(opened))
                }
            };
            // A panic drops the answer's sender, which the caller sees; the other reads go on.
            let db = found.map(|conn| Db { conn, codec, operation });
            if catch_unwind(AssertUnwindSafe(|| read(db))).is_err() {
                tracing::error!(operation, "a read panicked");
            }
        }
    }
}
