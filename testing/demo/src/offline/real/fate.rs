//! The fate of a request on its way to a real homeserver.

use std::time::Duration;

use haos_sim::{Chance, LoopbackFaults, LoopbackFired};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Served,
    /// It never reaches the server.
    Lost,
    /// The server processes it, and the connection breaks.
    AnswerLost,
    /// The server processes it, and a proxy answers 502.
    Proxy,
}

/// Decides, and keeps count. Pauses are the server's own to ask for.
#[derive(Debug)]
pub(super) struct Fates {
    faults: LoopbackFaults,
    chance: Chance,
    pub(super) fired: LoopbackFired,
}

impl Fates {
    pub(super) fn new(faults: LoopbackFaults) -> Self {
        Self { faults, chance: Chance::new(faults.seed), fired: LoopbackFired::default() }
    }

    /// The next request's, and how long it is held up before that.
    pub(super) fn next(&mut self) -> (Fate, Duration) {
        let Self { faults, chance, fired } = self;
        fired.requests += 1;
        let is_slow = chance.below(1000) < faults.slow;
        fired.slow += u64::from(is_slow);
        let wait_ms = if is_slow { chance.below(faults.slow_ms + 1) } else { 0 };
        let roll = chance.below(1000);
        let answer_lost = faults.lost + faults.answer_lost;
        let fate = if roll < faults.lost {
            fired.lost += 1;
            Fate::Lost
        } else if roll < answer_lost {
            fired.answer_lost += 1;
            Fate::AnswerLost
        } else if roll < answer_lost + faults.proxy {
            fired.proxy += 1;
            Fate::Proxy
        } else {
            Fate::Served
        };
        (fate, Duration::from_millis(wait_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_as_often_as_asked() {
        let faults = LoopbackFaults { lost: 100, answer_lost: 200, proxy: 50, ..LoopbackFaults::default() };
        let mut fates = Fates::new(faults);
        let served = (0..10_000).filter(|_| fates.next() == (Fate::Served, Duration::ZERO)).count();
        let LoopbackFired { requests, lost, answer_lost, proxy, .. } = fates.fired;
        assert_eq!(requests, 10_000);
        for (fired, share) in [(lost, 100_u64), (answer_lost, 200), (proxy, 50), (served as u64, 650)] {
            assert!(fired.abs_diff(share * 10) < 200, "{fired} of {share} in 1000");
        }
    }
}
