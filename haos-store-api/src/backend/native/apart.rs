//! Work on a thread of its own, which ends early once its caller stops waiting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};

use tokio::sync::oneshot;

use super::backend::Backend;
use super::error::closed;
use crate::{Error, ErrorKind, Result};

/// The signal to end work on a thread of its own: its caller stopped waiting, or its store is closed.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    pub(super) left: Arc<AtomicBool>,
    pub(super) closed: Arc<AtomicBool>,
}

impl Stop {
    /// Tells whether the work is to end.
    pub fn is_set(&self) -> bool {
        self.left.load(Ordering::Relaxed) || self.closed.load(Ordering::Relaxed)
    }
}

/// Tells the thread that its caller stopped waiting.
pub(super) struct StopOnDrop(pub(super) Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.left.store(true, Ordering::Relaxed);
    }
}

/// Runs work that belongs to no open store, such as a conversion.
///
/// # Errors
/// Those of the work, and `Closed` if it panics.
pub(super) async fn apart<B: Backend, T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce(&Stop) -> Result<T> + Send + 'static,
) -> Result<T> {
    let stop = StopOnDrop(Stop::default());
    let (reply, answer) = oneshot::channel();
    let stopped = stop.0.clone();
    spawn::<B>(operation, move || {
        // The caller may have stopped waiting: the next call resumes the work, or begins it again.
        let _ = reply.send(work(&stopped));
    })?;
    answer.await.map_err(|_| closed(operation, "its thread ended unexpectedly: try again"))?
}

/// Runs a function on a thread of a store of this kind.
pub(super) fn spawn<B: Backend>(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new()
        .name(format!("haos-{}-{name}", B::NAME))
        .spawn(work)
        .map_err(|e| Error::new(ErrorKind::Other, "start", "no thread can be started").with_source(e))
}
