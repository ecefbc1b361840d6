//! The thread that reads, and its queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use haos_store_api::{Codec, Result};

use crate::budget::Bounded;
use crate::open::connect_reader;
use crate::options::SqliteOptions;

/// A read to be done, with its answer's way back inside; an error if there is no connection to read with.
pub(crate) type Read = Box<dyn FnOnce(Result<(&Bounded, &Codec, &'static str)>) + Send>;

/// Reads that wait for the thread.
pub(crate) struct ReadQueue {
    options: SqliteOptions,
    codec: Codec,
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(&'static str, Read)>,
    /// There is a thread that does them.
    served: bool,
    closed: bool,
}

impl ReadQueue {
    pub(crate) fn new(options: SqliteOptions, codec: Codec) -> Self {
        let (state, ready) = Default::default();
        Self { options, codec, state, ready }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read unless the queue is closed. `true`: nobody serves it yet, and the caller is to see to that.
    #[must_use]
    pub(crate) fn push(&self, operation: &'static str, read: Read) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.waiting.push_back((operation, read));
        self.ready.notify_one();
        !std::mem::replace(&mut state.served, true)
    }

    /// There is no thread: whoever waits is told so.
    pub(crate) fn give_up(&self) {
        let mut state = self.lock();
        state.served = false;
        state.waiting.clear();
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
    pub(crate) fn serve(&self) {
        let Self { options, codec, .. } = self;
        let mut conn = None;
        while let Some((operation, read)) = self.next() {
            let found = match &conn {
                Some(conn) => Ok(conn),
                None => connect_reader(options, options.tuning().spare_kib)
                    .and_then(|opened| Bounded::new(opened, options))
                    .map(|opened| &*conn.insert(opened)),
            };
            // A panic drops the answer's sender, which the caller sees; the other reads go on.
            let run = || read(found.map(|bounded| (bounded, codec, operation)));
            if catch_unwind(AssertUnwindSafe(run)).is_err() {
                tracing::error!(operation, "a read panicked");
            }
        }
    }
}
