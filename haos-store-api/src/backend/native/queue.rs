//! The thread that does long reads, and its queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::backend::Readers;
use crate::Result;

/// A read to do, with its answer's way back inside; it gets an error if no reader can be opened.
pub(super) type Read<R> = Box<dyn FnOnce(Result<&<R as Readers>::Reader>) + Send>;

/// Reads that wait for the thread.
pub(super) struct ReadQueue<R: Readers> {
    state: Mutex<Line<R>>,
    ready: Condvar,
}

struct Line<R: Readers> {
    waiting: VecDeque<(&'static str, Read<R>)>,
    /// True if a thread does them.
    served: bool,
    closed: bool,
}

impl<R: Readers> ReadQueue<R> {
    pub(super) fn new() -> Self {
        let state = Line { waiting: VecDeque::new(), served: false, closed: false };
        Self { state: Mutex::new(state), ready: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Line<R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read unless the queue is closed. `true`: no thread serves it yet, and the caller is to start one.
    #[must_use]
    pub(super) fn push(&self, operation: &'static str, read: Read<R>) -> bool {
        let mut state = self.lock();
        if state.closed {
            return false;
        }
        state.waiting.push_back((operation, read));
        self.ready.notify_one();
        !std::mem::replace(&mut state.served, true)
    }

    /// Tells waiting callers that no thread could be started.
    pub(super) fn give_up(&self) {
        let mut state = self.lock();
        state.served = false;
        state.waiting.clear();
    }

    /// Takes no more reads; those that wait are still done.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.ready.notify_all();
    }

    fn next(&self) -> Option<(&'static str, Read<R>)> {
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
    pub(super) fn serve(&self, readers: &Arc<R>) {
        let mut reader = None;
        while let Some((operation, read)) = self.next() {
            let found = match &reader {
                Some(reader) => Ok(reader),
                None => readers.connect().map(|connected| &*reader.insert(connected)),
            };
            // A panic drops the answer's sender, which the caller sees; the other reads go on.
            if catch_unwind(AssertUnwindSafe(|| read(found))).is_err() {
                tracing::error!(operation, "a read panicked");
            }
        }
    }
}
