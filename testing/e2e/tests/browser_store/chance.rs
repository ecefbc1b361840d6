//! Chance from a seed, which a failure names.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A generator; it is not `Clone`, since clones would repeat it.
#[derive(Debug)]
pub(crate) struct Chance(Mutex<u64>);

impl Chance {
    /// From `HAOS_SEED`, or from the clock. Printed, since contexts that run at once do the rest.
    pub(crate) fn new() -> Self {
        let given = std::env::var("HAOS_SEED").ok().and_then(|seed| seed.parse().ok());
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let seed: u64 = given.unwrap_or_else(now);
        eprintln!("  HAOS_SEED={seed}");
        Self(Mutex::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    /// Less than `bound`.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        (*state >> 16) % bound
    }

    /// A pause of less than this number of milliseconds.
    pub(crate) async fn pause(&self, below_ms: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(below_ms))).await;
    }
}
