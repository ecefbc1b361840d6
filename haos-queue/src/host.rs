//! The world that is passed in: clock, timer, chance.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use haos_store_api::{MaybeSend, TxnId};

/// A future that a [`Host`] gives.
#[cfg(not(target_arch = "wasm32"))]
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;
/// A future that a [`Host`] gives.
#[cfg(target_arch = "wasm32")]
pub type Sleep = Pin<Box<dyn Future<Output = ()>>>;

/// Clock, timer and randomness: the queue reads none by itself, so that tests and simulations own them.
pub trait Host: MaybeSend {
    /// Milliseconds since 1970. May jump.
    fn now_ms(&self) -> i64;

    /// Milliseconds since some moment of the past. Only goes on, with the time that is lived through: also while the
    /// machine sleeps, where the system counts that.
    fn steady_ms(&self) -> u64;

    /// Ends after `ms` milliseconds, whatever the clock does.
    fn sleep(&self, ms: u64) -> Sleep;

    /// 64 random bits, good enough for ids that nobody must guess or meet twice.
    fn random(&self) -> u64;
}

/// A [`Host`] to share.
pub type SharedHost = Arc<dyn Host>;

/// A new transaction id: 128 random bits.
pub(crate) fn new_txn_id(host: &dyn Host) -> haos_store_api::Result<TxnId> {
    TxnId::new(format!("haos{:016x}{:016x}", host.random(), host.random()))
}

/// The machine itself, over tokio's timer.
#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
#[derive(Debug, Clone, Copy, Default)]
pub struct TokioHost;

#[cfg(all(feature = "tokio", not(target_arch = "wasm32")))]
impl Host for TokioHost {
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn steady_ms(&self) -> u64 {
        steady_ms()
    }

    fn sleep(&self, ms: u64) -> Sleep {
        Box::pin(tokio::time::sleep(std::time::Duration::from_millis(ms)))
    }

    fn random(&self) -> u64 {
        system_random()
    }
}

/// The clock that goes on while the machine sleeps.
#[cfg(all(feature = "tokio", unix))]
fn steady_ms() -> u64 {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    // Of Apple's systems, this one does.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let time = clock_gettime(CLOCK);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1000) + nanos.unwrap_or(0) / 1_000_000
}

/// Elsewhere, that of the standard library: Windows counts sleep, too.
#[cfg(all(feature = "tokio", not(unix), not(target_arch = "wasm32")))]
fn steady_ms() -> u64 {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let begun = BEGUN.get_or_init(std::time::Instant::now);
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The browser: its clock, its timers (window and worker alike), its randomness.
///
/// Timers end late in hidden pages, by up to a minute, and not at all while a page is frozen. What must not
/// wait for them comes by triggers: see [`web::drive`](crate::web::drive).
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[derive(Debug, Clone, Copy, Default)]
pub struct BrowserHost;

#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
impl Host for BrowserHost {
    fn now_ms(&self) -> i64 {
        haos_web::now_ms()
    }

    /// Some browsers do not count the time in which the machine sleeps.
    fn steady_ms(&self) -> u64 {
        haos_web::steady_ms()
    }

    fn sleep(&self, ms: u64) -> Sleep {
        // A wait of more than 49 days looks again then.
        Box::pin(haos_web::sleep(u32::try_from(ms).unwrap_or(u32::MAX)))
    }

    fn random(&self) -> u64 {
        system_random()
    }
}

#[cfg(any(
    all(feature = "tokio", not(target_arch = "wasm32")),
    all(target_arch = "wasm32", target_os = "unknown")
))]
#[allow(clippy::panic, reason = "without randomness, two messages could get one id: no id is given at all")]
fn system_random() -> u64 {
    match getrandom::u64() {
        Ok(bits) => bits,
        Err(e) => panic!("the system gives no randomness: {e}"),
    }
}
