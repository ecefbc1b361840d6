//! How long to wait.

use haos_store_api::Pending;

const MINUTE_MS: u64 = 60_000;

/// No server is granted more quiet at once: a day.
pub(crate) const LONGEST_QUIET_MS: u64 = 24 * 60 * MINUTE_MS;

/// When a row is tried again, and how often.
///
/// The delay is `jitter * min(cap, base * 2^n)` after the n-th attempt that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first delay, in milliseconds.
    pub base_ms: u64,
    /// The longest delay while the row is young.
    pub cap_ms: u64,
    /// How long after its first attempt a row is young.
    pub young_ms: u64,
    /// The longest delay afterwards.
    pub old_cap_ms: u64,
    /// How chance spreads the delays.
    pub jitter: Jitter,
    /// The number of counted attempts after which the row parks as refused; without it, its expiry alone bounds them.
    pub max_attempts: Option<u32>,
}

/// How chance spreads delays, so that devices do not return all at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Jitter {
    /// The delay times a number between 0.5 and 1.
    Scale,
    /// The delay plus up to this many milliseconds.
    Add(u64),
}

impl Default for RetryPolicy {
    /// 1 s doubling to 60 s for the first 10 minutes, then to 15 minutes; no limit of attempts.
    fn default() -> Self {
        Self {
            base_ms: 1000,
            cap_ms: MINUTE_MS,
            young_ms: 10 * MINUTE_MS,
            old_cap_ms: 15 * MINUTE_MS,
            jitter: Jitter::Scale,
            max_attempts: None,
        }
    }
}

impl RetryPolicy {
    /// 1 s doubling to 60 s, plus up to 1 s of chance; parks after 5 attempts.
    pub fn seed() -> Self {
        Self { old_cap_ms: MINUTE_MS, jitter: Jitter::Add(1000), max_attempts: Some(5), ..Self::default() }
    }

    /// The delay after `attempts` attempts, the first of them `age_ms` ago; `chance` is a random number.
    pub fn delay_ms(&self, attempts: u32, age_ms: i64, chance: u64) -> u64 {
        let doubled = 1u64.checked_shl(attempts.saturating_sub(1)).unwrap_or(u64::MAX);
        self.spread(self.base_ms.saturating_mul(doubled).min(self.cap(age_ms)), chance)
    }

    /// The delay after a failure that does not count: as long as the row has been tried already, so that
    /// it doubles without being counted.
    pub fn uncounted_ms(&self, age_ms: i64, chance: u64) -> u64 {
        let age = u64::try_from(age_ms).unwrap_or(0);
        self.spread(age.max(self.base_ms).min(self.cap(age_ms)), chance)
    }

    /// No row waits longer: for a delay of its own, or because the server asked for quiet.
    pub(crate) fn longest_ms(&self) -> u64 {
        let jitter_ms = match self.jitter {
            Jitter::Scale => 0,
            Jitter::Add(most) => most,
        };
        self.cap_ms.max(self.old_cap_ms).max(LONGEST_QUIET_MS).saturating_add(jitter_ms).saturating_add(1000)
    }

    fn cap(&self, age_ms: i64) -> u64 {
        let young = u64::try_from(age_ms).unwrap_or(0) < self.young_ms;
        if young { self.cap_ms } else { self.old_cap_ms }
    }

    /// The delay as chance has it.
    pub fn spread(&self, delay_ms: u64, chance: u64) -> u64 {
        match self.jitter {
            // Half, and up to as much again.
            Jitter::Scale => delay_ms / 2 + chance % (delay_ms.div_ceil(2) + 1),
            Jitter::Add(most) => delay_ms.saturating_add(chance % (most + 1)),
        }
    }

    pub(crate) fn gives_up(&self, row: &Pending) -> bool {
        self.max_attempts.is_some_and(|most| row.attempts >= most)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use haos_store_api::{EventType, Json, RoomId, TxnId};

    use super::*;

    /// The longest and the shortest delay that chance gives.
    fn bounds(delay: impl Fn(u64) -> u64) -> (u64, u64) {
        let delays: BTreeSet<u64> = (0..=1000).chain([u64::MAX / 2, u64::MAX]).map(delay).collect();
        (*delays.first().unwrap(), *delays.last().unwrap())
    }

    #[test]
    fn chance_gives_every_delay_between_the_half_and_the_whole() {
        let policy = RetryPolicy::default();
        for delay in 0..60u64 {
            let delays: BTreeSet<u64> = (0..200).map(|chance| policy.spread(delay, chance)).collect();
            assert_eq!(delays, (delay / 2..=delay).collect(), "{delay}");
            let adds = RetryPolicy { jitter: Jitter::Add(9), ..policy };
            let delays: BTreeSet<u64> = (0..200).map(|chance| adds.spread(delay, chance)).collect();
            assert_eq!(delays, (delay..=delay + 9).collect(), "{delay}");
        }
    }

    #[test]
    fn delays_double_to_their_cap() {
        // Without jitter, to see them.
        let policy = RetryPolicy { jitter: Jitter::Add(0), ..RetryPolicy::default() };
        for (attempts, age, delay) in [
            (0, 0, 1000),
            (1, 0, 1000),
            (2, 0, 2000),
            (3, 0, 4000),
            (6, 0, 32_000),
            (7, 0, 60_000),
            (40, 0, 60_000),
            (7, 599_999, 60_000),
            (7, 600_000, 64_000),
            (7, -5, 60_000),
            (65, 600_000, 900_000),
            (66, 600_000, 900_000),
            (400, 700_000, 900_000),
            (u32::MAX, i64::MAX, 900_000),
        ] {
            for chance in [0, 1, 77, u64::MAX] {
                assert_eq!(policy.delay_ms(attempts, age, chance), delay, "{attempts} at {age}");
            }
            let scaled = RetryPolicy::default();
            let (least, most) = bounds(|chance| scaled.delay_ms(attempts, age, chance));
            assert!(least == delay / 2 && most > delay / 2 && most <= delay, "{attempts} at {age}");
        }
    }

    #[test]
    fn the_seed_preset_adds() {
        let policy = RetryPolicy::seed();
        assert_eq!(policy.delay_ms(1, 0, 0), 1000);
        assert_eq!(policy.delay_ms(3, 0, 1000), 5000);
        assert_eq!(policy.delay_ms(9, i64::MAX, 0), 60_000);
        assert_eq!(policy.max_attempts, Some(5));
    }

    #[test]
    fn what_does_not_count_waits_as_long_as_it_was_tried() {
        let policy = RetryPolicy { jitter: Jitter::Add(0), ..RetryPolicy::default() };
        for (age, delay) in [
            (i64::MIN, 1000),
            (-5, 1000),
            (0, 1000),
            (1000, 1000),
            (1001, 1001),
            (60_000, 60_000),
            (60_001, 60_000),
            (599_999, 60_000),
            (600_000, 600_000),
            (900_001, 900_000),
            (i64::MAX, 900_000),
        ] {
            assert_eq!(policy.uncounted_ms(age, 3), delay, "{age}");
        }
        assert_eq!(bounds(|chance| RetryPolicy::default().uncounted_ms(1000, chance)), (500, 1000));
    }

    #[test]
    fn a_row_is_given_up_at_its_last_attempt() {
        let id = |text: &str| TxnId::new(text).unwrap();
        let (room, kind) = (RoomId::new("!r").unwrap(), EventType::new("k").unwrap());
        let row = Pending::new(id("t"), room, kind, Json::empty(), 0);
        for (most, attempts, gives_up) in
            [(None, u32::MAX, false), (Some(3), 2, false), (Some(3), 3, true), (Some(3), 4, true)]
        {
            let policy = RetryPolicy { max_attempts: most, ..RetryPolicy::default() };
            assert_eq!(policy.gives_up(&Pending { attempts, ..row.clone() }), gives_up);
        }
    }

    /// No delay, and no quiet that a server asks for, is longer than the longest.
    #[test]
    fn nothing_waits_longer_than_the_longest() {
        const DAY_MS: u64 = 86_400_000;
        let policy = RetryPolicy::default();
        for (policy, longest) in [
            (policy, DAY_MS),
            (RetryPolicy { cap_ms: DAY_MS + 5, ..policy }, DAY_MS + 5),
            (RetryPolicy { old_cap_ms: DAY_MS + 7, ..policy }, DAY_MS + 7),
            (RetryPolicy { jitter: Jitter::Add(3), ..policy }, DAY_MS + 3),
        ] {
            assert_eq!(policy.longest_ms(), longest + 1000);
        }
    }
}
