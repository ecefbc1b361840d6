use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use haos_queue::{Host, Sleep, TokioHost};

/// The machine, with a clock that is off by as much as a test wants.
#[derive(Debug, Default)]
pub(crate) struct OffHost {
    offset_ms: AtomicI64,
}

impl OffHost {
    pub(crate) fn new(offset_ms: i64) -> Self {
        Self { offset_ms: AtomicI64::new(offset_ms) }
    }

    /// Sets how much it is off.
    pub(crate) fn set(&self, offset_ms: i64) {
        self.offset_ms.store(offset_ms, Relaxed);
    }

    /// Sets it further ahead.
    pub(crate) fn advance(&self, by: Duration) {
        self.offset_ms.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Relaxed);
    }
}

impl Host for OffHost {
    fn now_ms(&self) -> i64 {
        TokioHost.now_ms().saturating_add(self.offset_ms.load(Relaxed))
    }

    fn steady_ms(&self) -> u64 {
        TokioHost.steady_ms()
    }

    fn sleep(&self, ms: u64) -> Sleep {
        TokioHost.sleep(ms)
    }

    fn random(&self) -> u64 {
        TokioHost.random()
    }
}
