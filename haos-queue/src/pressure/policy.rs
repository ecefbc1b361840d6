//! The next measure for a store that is too full.

use haos_store_api::{EventType, MediaPolicy, Usage};

use super::Level;
use super::level::relieved_bytes;

/// How a store is kept within bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PressureOptions {
    /// Which media stays at all (400 MiB, 20 MiB an item, 60 days since its latest use).
    pub media: MediaPolicy,
    /// Payload bytes that the store may hold; none: [`Usage::quota_bytes`], and without that one the level
    /// is always [`Level::Ok`].
    pub quota_bytes: Option<u64>,
    /// Bytes of the quota that only the outbox may use (1 MiB); at most half of the quota.
    pub headroom_bytes: u64,
    /// How many of the newest messages each room keeps when it is pruned under pressure (1000).
    pub keep_messages: u64,
    /// The kind of a room's state, under the empty key, whose member `pinned` lists messages that are never
    /// pruned: `m.room.pinned_events` in Matrix. None by default.
    pub pins: Option<EventType>,
    /// The time between two checks (10 minutes).
    pub check_ms: u64,
}

impl Default for PressureOptions {
    fn default() -> Self {
        Self {
            media: MediaPolicy::default(),
            quota_bytes: None,
            headroom_bytes: 1 << 20,
            keep_messages: 1000,
            pins: None,
            check_ms: 600_000,
        }
    }
}

impl PressureOptions {
    /// The bounds of a store that only a media cache writes to: media makes room for media, and no message goes for it.
    pub fn of_media(media: MediaPolicy) -> Self {
        Self { media, keep_messages: u64::MAX, ..Self::default() }
    }

    /// The quota of a store, if it has one.
    pub(super) fn quota(&self, usage: &Usage) -> Option<u64> {
        self.quota_bytes.or(usage.quota_bytes)
    }

    /// Returns the part of a quota for what can be fetched again.
    pub(super) fn cache_bytes(&self, quota: u64) -> u64 {
        quota - self.headroom_bytes.min(quota / 2)
    }
}

/// How a store stands while something is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Situation {
    /// The level that it began with.
    pub(super) level: Level,
    /// A write was refused for want of space.
    pub(super) full: bool,
    /// Payload bytes in all.
    pub(super) used: u64,
    /// Those of media.
    pub(super) media: u64,
    /// How few bytes in all are few enough; see [`goal`].
    pub(super) goal: u64,
}

/// One thing to do. Every later one gives up more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relief {
    /// Evict what the policy does not keep.
    Evict(MediaPolicy),
    /// Evict by last access until the goal is met.
    Shrink(MediaPolicy),
    /// Prune rooms until the goal is met.
    Prune,
    /// Give free space back to the system.
    Compact,
    /// Say that nothing is left to be given up.
    Report,
}

impl Relief {
    fn rank(self) -> usize {
        match self {
            Self::Evict(_) => 0,
            Self::Shrink(_) => 1,
            Self::Prune => 2,
            Self::Compact => 3,
            Self::Report => 4,
        }
    }
}

/// How few bytes are few enough: below [`Level::Warn`], with room for `needed` more, and for a refused write
/// an eighth less than there is, since the device may be fuller than the quota says.
pub(super) fn goal(used: u64, quota: Option<u64>, full: bool, needed: u64, options: &PressureOptions) -> u64 {
    let by_quota = quota.map_or(u64::MAX, |quota| {
        relieved_bytes(quota).min(options.cache_bytes(quota).saturating_sub(needed))
    });
    let by_device = if full { used.saturating_sub(needed.max(used / 8)) } else { u64::MAX };
    by_quota.min(by_device)
}

/// Returns the measure after `done`, or `None` once it is enough, or all there is.
pub(super) fn plan(now: &Situation, done: Option<Relief>, options: &PressureOptions) -> Option<Relief> {
    let excess = now.used.saturating_sub(now.goal);
    let is_high = now.full || now.level >= Level::High;
    let is_critical = now.full || now.level >= Level::Critical;
    let shrunk = now.media.saturating_sub(excess).min(options.media.max_total);
    let steps = [
        Some(Relief::Evict(options.media)),
        (is_high && excess > 0).then_some(Relief::Shrink(MediaPolicy { max_total: shrunk, ..options.media })),
        (is_critical && excess > 0).then_some(Relief::Prune),
        now.full.then_some(Relief::Compact),
        (is_critical && excess > 0).then_some(Relief::Report),
    ];
    steps.into_iter().skip(done.map_or(0, |step| step.rank() + 1)).flatten().next()
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The steps from a level, with each of them freeing `freed` bytes.
    fn walk(level: Level, full: bool, used: u64, freed: u64) -> Vec<usize> {
        let options = PressureOptions { headroom_bytes: 10, ..PressureOptions::default() };
        let goal = goal(used, Some(100), full, 0, &options);
        let mut now = Situation { level, full, used, media: used, goal };
        let (mut walked, mut done) = (Vec::new(), None);
        while let Some(step) = plan(&now, done, &options) {
            walked.push(step.rank());
            (now.used, now.media) = (now.used.saturating_sub(freed), now.media.saturating_sub(freed));
            done = Some(step);
        }
        walked
    }

    #[test]
    fn each_level_gives_up_more() {
        assert_eq!(walk(Level::Ok, false, 10, 0), [0]);
        assert_eq!(walk(Level::Warn, false, 75, 0), [0]);
        assert_eq!(walk(Level::High, false, 90, 0), [0, 1]);
        assert_eq!(walk(Level::Critical, false, 97, 0), [0, 1, 2, 4]);
        assert_eq!(walk(Level::Critical, false, 97, 20), [0, 1], "what is enough ends it");
        assert_eq!(walk(Level::Ok, true, 10, 0), [0, 1, 2, 3, 4], "a full device, whatever the quota says");
        assert_eq!(walk(Level::Ok, true, 10, 5), [0, 3]);
    }

    #[test]
    fn without_a_quota_only_a_refusal_is_pressure() {
        let options = PressureOptions::default();
        assert_eq!(goal(u64::MAX, None, false, 5, &options), u64::MAX);
        assert_eq!(goal(800, None, true, 5, &options), 700);
        assert_eq!(goal(800, None, true, 500, &options), 300);
        assert_eq!(goal(800, None, true, 5000, &options), 0);
    }

    proptest! {
        #[test]
        fn a_shrunken_total_meets_the_goal(
            used in any::<u64>(), part in 0..=100_u64, quota in any::<u64>(), needed in any::<u64>(), full: bool,
        ) {
            let options = PressureOptions::default();
            let media = (u128::from(used) * u128::from(part) / 100) as u64;
            let goal = goal(used, Some(quota), full, needed, &options);
            let now = Situation { level: Level::High, full, used, media, goal };
            if let Some(Relief::Shrink(policy)) = plan(&now, Some(Relief::Evict(options.media)), &options) {
                let after = used - media.saturating_sub(policy.max_total);
                prop_assert!(policy.max_total == 0 || after <= goal);
            } else {
                prop_assert!(used <= goal);
            }
        }

        #[test]
        fn the_outbox_has_the_headroom_to_itself(quota in any::<u64>(), headroom_bytes in any::<u64>()) {
            let options = PressureOptions { headroom_bytes, ..PressureOptions::default() };
            let cache = options.cache_bytes(quota);
            prop_assert!(cache <= quota && quota - cache == headroom_bytes.min(quota / 2));
        }
    }
}
