use haos_matrix::{ClientOptions, FillOptions, SyncOptions};
use haos_queue::{Jitter, OutboxOptions, RetryPolicy};

/// Options of somebody in a hurry: what fails is tried again within half a second, so that a test takes
/// seconds. Everything else is as applications have it.
pub fn hurried() -> ClientOptions {
    let retry = RetryPolicy {
        base_ms: 50,
        cap_ms: 500,
        old_cap_ms: 500,
        jitter: Jitter::Scale,
        ..RetryPolicy::default()
    };
    ClientOptions {
        outbox: OutboxOptions { retry, settle_ms: 500, echo_ms: 2000, ..OutboxOptions::default() },
        sync: SyncOptions { retry, poll_ms: 10_000, fill: FillOptions::off(), ..SyncOptions::default() },
        ..ClientOptions::default()
    }
}
