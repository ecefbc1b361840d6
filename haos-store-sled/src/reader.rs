//! The thread that reads, and its queue.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::shared::Shared;

/// A read to be done, with its answer's way back inside.
pub(crate) type Read = Box<dyn FnOnce(&Shared) + Send>;

/// Reads that wait for the thread.
#[derive(Default)]
pub(crate) struct ReadQueue {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Read>,
    closed: bool,
}

impl ReadQueue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a read unless the queue is closed.
    pub(crate) fn push(&self, read: Read) {
        let mut state = self.lock();
        if !state.closed {
            state.waiting.push_back(read);
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

    fn next(&self) -> Option<Read> {
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

    /// Serves reads until the queue is closed. A read that panics is caught by the reads themselves.
    pub(crate) fn serve(&self, shared: &Shared) {
        while let Some(read) = self.next() {
            read(shared);
        }
    }
}
