use std::time::Duration;

use super::super::Chance;

/// The rates at which the network and what stands in it fail: of 1000 requests, each kind. One request meets
/// one of the first four at most; any may be slow. The default is a network without faults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LoopbackFaults {
    /// The request never reaches the server, and the connection breaks.
    pub lost: u64,
    /// The server processes the request, and the connection breaks.
    pub answer_lost: u64,
    /// A proxy answers 502; the server has processed every other of these.
    pub proxy: u64,
    /// The server answers 429 and wants quiet.
    pub limited: u64,
    /// The request takes its time, on its way to whatever happens to it.
    pub slow: u64,
    /// How much at most, in milliseconds.
    pub slow_ms: u64,
    /// The quiet that a 429 asks for, in milliseconds.
    pub retry_after_ms: u64,
    /// The seed that chooses these requests.
    pub seed: u64,
}

/// The counts of requests by fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoopbackFired {
    /// All that came, whatever became of them.
    pub requests: u64,
    /// Lost before the server.
    pub lost: u64,
    /// Processed, and the answer lost.
    pub answer_lost: u64,
    /// Answered 502.
    pub proxy: u64,
    /// Answered 429.
    pub limited: u64,
    /// Slowed down.
    pub slow: u64,
}

impl LoopbackFired {
    /// Requests that did not get the server's own answer.
    pub fn failed(&self) -> u64 {
        self.lost + self.answer_lost + self.proxy + self.limited
    }
}

/// The fate of a request on its way to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The server answers it.
    Served,
    /// It never reaches the server.
    Lost,
    /// The server processes it, and the connection breaks.
    AnswerLost,
    /// A proxy answers 502.
    Proxy {
        /// The server has processed it.
        processed: bool,
    },
    /// The answer is 429.
    Limited {
        /// The quiet that it asks for, in milliseconds.
        retry_after_ms: u64,
    },
}

/// Decides the fates of requests, and counts them.
#[derive(Debug)]
pub struct Fates {
    faults: LoopbackFaults,
    chance: Chance,
    /// The fates so far.
    pub fired: LoopbackFired,
}

impl Fates {
    /// Fates at these rates.
    pub fn new(faults: LoopbackFaults) -> Self {
        Self { faults, chance: Chance::new(faults.seed), fired: LoopbackFired::default() }
    }

    /// Decides the next request's, and how long it is held up before that.
    #[allow(clippy::should_implement_trait, reason = "it never ends")]
    pub fn next(&mut self) -> (Fate, Duration) {
        let Self { faults, chance, fired } = self;
        fired.requests += 1;
        let slow = chance.below(1000) < faults.slow;
        fired.slow += u64::from(slow);
        let wait_ms = if slow { chance.below(faults.slow_ms + 1) } else { 0 };
        let mut roll = chance.below(1000);
        let mut falls = |share: u64, count: &mut u64| {
            let hit = roll < share;
            roll = if hit { u64::MAX } else { roll.saturating_sub(share) };
            *count += u64::from(hit);
            hit
        };
        let fate = if falls(faults.lost, &mut fired.lost) {
            Fate::Lost
        } else if falls(faults.answer_lost, &mut fired.answer_lost) {
            Fate::AnswerLost
        } else if falls(faults.proxy, &mut fired.proxy) {
            Fate::Proxy { processed: fired.proxy % 2 == 0 }
        } else if falls(faults.limited, &mut fired.limited) {
            Fate::Limited { retry_after_ms: faults.retry_after_ms }
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
        let faults = LoopbackFaults {
            lost: 100,
            answer_lost: 200,
            proxy: 50,
            limited: 10,
            slow: 300,
            slow_ms: 5,
            ..LoopbackFaults::default()
        };
        let mut fates = Fates::new(faults);
        let most = (0..10_000).map(|_| fates.next().1).max();
        assert_eq!(most, Some(Duration::from_millis(5)));
        let LoopbackFired { requests, lost, answer_lost, proxy, limited, slow } = fates.fired;
        assert_eq!(requests, 10_000);
        for (fired, share) in [(lost, 100), (answer_lost, 200), (proxy, 50), (limited, 10), (slow, 300)] {
            assert!(fired.abs_diff(share * 10) < 150, "{fired} of {share} in 1000");
        }
        let mut none = Fates::new(LoopbackFaults::default());
        assert!((0..1000).all(|_| none.next() == (Fate::Served, Duration::ZERO)));
    }
}
