use super::HttpOptions;

/// The demands on the pace of a body on its way here. Time is cut into windows as long as a body may stand
/// still; whoever reads says what came and when a window is over, so that no clock is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pace {
    /// Bytes that a window must bring.
    least: u64,
    /// Windows that are left.
    left: u64,
    /// Bytes of this window.
    came: u64,
    /// Too little came in the window before.
    was_slow: bool,
}

impl Pace {
    pub(super) fn new(options: &HttpOptions) -> Self {
        let HttpOptions { stall_ms, least_rate, body_ms, .. } = options;
        let least = least_rate.saturating_mul(*stall_ms) / 1000;
        Self { least, left: body_ms.div_ceil((*stall_ms).max(1)), came: 0, was_slow: false }
    }

    /// Bytes came.
    pub(super) fn came(&mut self, bytes: usize) {
        self.came = self.came.saturating_add(bytes as u64);
    }

    /// A window is over: whether the body is still waited for. It is not if nothing came in the window, too
    /// little in two in a row (whoever reads may have paused in one), or if its time is up.
    pub(super) fn goes_on(&mut self) -> bool {
        let is_slow = self.came < self.least;
        let stands_still = self.came == 0 || (is_slow && self.was_slow);
        self.left = self.left.saturating_sub(1);
        (self.came, self.was_slow) = (0, is_slow);
        !stands_still && self.left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        let options =
            HttpOptions { stall_ms: 10_000, least_rate: 100, body_ms: 60_000, ..HttpOptions::default() };
        Pace::new(&options)
    }

    /// The number of windows in which a body of this size arrives at the slowest pace.
    fn windows(bytes: usize) -> u32 {
        let (mut pace, mut windows) = (pace(), 0);
        loop {
            pace.came(bytes);
            windows += 1;
            if !pace.goes_on() {
                return windows;
            }
        }
    }

    #[test]
    fn a_drip_ends_soon_and_a_steady_body_at_its_time() {
        assert_eq!(windows(0), 1, "it stands still");
        assert_eq!(windows(1), 2, "it drips");
        assert_eq!(windows(999), 2);
        assert_eq!(windows(1000), 6, "its time is up");
    }

    #[test]
    fn one_slow_window_is_forgiven() {
        let mut pace = pace();
        for bytes in [1, 1000, 1, 5000] {
            pace.came(bytes);
            assert!(pace.goes_on());
        }
    }

    #[test]
    fn no_option_makes_it_fail_at_once() {
        let mut pace = Pace::new(&HttpOptions { stall_ms: 0, ..HttpOptions::default() });
        pace.came(1);
        assert!(pace.goes_on());
    }
}
