/// How full a store is.
///
/// A level begins at its threshold and is left downwards only [`Level::SLACK_PERCENT`] points below it, so
/// that a store at an edge does not flap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// There is room.
    #[default]
    Ok,
    /// From 70 % on.
    Warn,
    /// From 85 % on: media goes until it is below [`Level::Warn`].
    High,
    /// From 95 % on: old messages go too.
    Critical,
}

impl Level {
    /// Every level, the emptiest first.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::High, Self::Critical];
    /// How far below its threshold a level is left.
    pub const SLACK_PERCENT: u64 = 5;

    /// Returns its beginning, in percent of the quota.
    pub fn threshold_percent(self) -> u64 {
        match self {
            Self::Ok => 0,
            Self::Warn => 70,
            Self::High => 85,
            Self::Critical => 95,
        }
    }

    /// The level that follows on this one, with `used` bytes of `quota`.
    #[must_use]
    pub fn after(self, used: u64, quota: u64) -> Self {
        let highest = |slack| {
            let reached =
                |level: &Self| is_from(used, quota, level.threshold_percent().saturating_sub(slack));
            Self::ALL.into_iter().rev().find(reached).unwrap_or(Self::Ok)
        };
        highest(0).max(self.min(highest(Self::SLACK_PERCENT)))
    }
}

/// Tells if `used` is that part of `quota`, or more. Of nothing, everything is used.
fn is_from(used: u64, quota: u64, percent: u64) -> bool {
    u128::from(used) * 100 >= u128::from(quota) * u128::from(percent)
}

/// The most bytes that are so far below [`Level::Warn`] that every level falls to [`Level::Ok`].
pub(super) fn relieved_bytes(quota: u64) -> u64 {
    let percent = u128::from(Level::Warn.threshold_percent() - Level::SLACK_PERCENT);
    let edge = (u128::from(quota) * percent).div_ceil(100);
    u64::try_from(edge).unwrap_or(u64::MAX).saturating_sub(1)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level() -> impl Strategy<Value = Level> {
        prop::sample::select(Level::ALL.to_vec())
    }

    fn quota() -> impl Strategy<Value = u64> {
        prop_oneof![Just(0), Just(1), Just(u64::MAX), 0..5_000_u64, any::<u64>()]
    }

    #[test]
    fn thresholds() {
        let rising =
            [(0, Level::Ok), (69, Level::Ok), (70, Level::Warn), (84, Level::Warn), (85, Level::High)];
        let rising = rising.into_iter().chain([(95, Level::Critical), (101, Level::Critical)]);
        for (used, expected) in rising {
            assert_eq!(Level::Ok.after(used, 100), expected, "{used}");
        }
        let falling = [(90, Level::Critical), (89, Level::High), (80, Level::High), (79, Level::Warn)];
        for (used, expected) in falling.into_iter().chain([(65, Level::Warn), (64, Level::Ok)]) {
            assert_eq!(Level::Critical.after(used, 100), expected, "{used}");
        }
        assert_eq!(Level::Ok.after(0, 0), Level::Critical, "where nothing may be stored, it is full");
        assert_eq!(Level::Critical.after(0, 1), Level::Ok);
    }

    proptest! {
        #[test]
        fn more_used_or_a_higher_start_is_never_lower(
            a in level(), b in level(), first in any::<u64>(), second in any::<u64>(), quota in quota(),
        ) {
            let (low, high) = (first.min(second), first.max(second));
            prop_assert!(a.after(low, quota) <= a.after(high, quota));
            prop_assert!(a.min(b).after(low, quota) <= a.max(b).after(low, quota));
        }

        #[test]
        fn the_same_again_changes_nothing(start in level(), used in any::<u64>(), quota in quota()) {
            let once = start.after(used, quota);
            prop_assert_eq!(once.after(used, quota), once);
        }

        /// Within less than the slack, a level changes once at most.
        #[test]
        fn it_does_not_flap(
            start in level(), quota in 1_000..u64::MAX / 200, from in 0..1_200_u64,
            steps in prop::collection::vec(0..50_u64, 2..40),
        ) {
            let permille = |n: u64| (u128::from(quota) * u128::from(from + n) / 1000) as u64;
            let mut level = start.after(permille(steps[0]), quota);
            let mut changes = 0;
            for step in steps {
                let next = level.after(permille(step), quota);
                changes += u32::from(next != level);
                level = next;
            }
            prop_assert!(changes <= 1, "{} changes", changes);
        }

        #[test]
        fn relieved_is_ok_and_a_byte_more_is_not(start in level(), quota in quota()) {
            let bytes = relieved_bytes(quota);
            prop_assert!(bytes == 0 || start.after(bytes, quota) == Level::Ok);
            prop_assert!(Level::Critical.after(bytes.saturating_add(1), quota) > Level::Ok);
        }
    }
}
