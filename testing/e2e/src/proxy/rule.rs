use super::chance::Chance;
use super::fault::Fault;
use super::pattern::Pattern;

/// Which requests meet a fault. Conditions add up; a new rule has none, and every request meets it.
///
/// ```
/// use haos_e2e::{Fault, Rule};
///
/// // Of the messages sent, the answers to the second, the fourth and the sixth are lost.
/// Rule::new(Fault::DropResponse).method("PUT").path("/_matrix/client/*/rooms/*/send/*").every(2).times(3);
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    fault: Fault,
    method: Option<String>,
    path: Pattern,
    every: u64,
    chance: Option<(f64, Chance)>,
    times: Option<u64>,
    seen: u64,
    fired: u64,
}

impl Rule {
    /// Every request meets `fault`.
    pub fn new(fault: Fault) -> Self {
        let path = Pattern::new("*");
        Self { fault, method: None, path, every: 1, chance: None, times: None, seen: 0, fired: 0 }
    }

    /// Only requests of this method, in capitals.
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path, percent-encoded and without the query, fits `pattern`, in which `*`
    /// stands for any run of characters.
    pub fn path(mut self, pattern: &str) -> Self {
        self.path = Pattern::new(pattern);
        self
    }

    /// Only the `n`th of those that fit, the 2`n`th and so on; 0 is as 1.
    pub fn every(mut self, n: u64) -> Self {
        self.every = n.max(1);
        self
    }

    /// Only with this probability, from 0 to 1; `seed` decides which.
    pub fn chance(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some((probability, Chance::new(seed)));
        self
    }

    /// Only the first `n` times that the other conditions hold.
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }

    /// How many requests of its method and path it was asked about. Used again, a rule counts on.
    pub fn seen(&self) -> u64 {
        self.seen
    }

    /// How many of them met its fault.
    pub fn fired(&self) -> u64 {
        self.fired
    }

    /// The fault that this request meets by this rule.
    fn judge(&mut self, method: &str, path: &str) -> Option<Fault> {
        if self.method.as_ref().is_some_and(|wanted| wanted != method) || !self.path.fits(path) {
            return None;
        }
        self.seen += 1;
        if self.times.is_some_and(|times| self.fired >= times) || !self.seen.is_multiple_of(self.every) {
            return None;
        }
        if let Some((probability, chance)) = &mut self.chance
            && chance.next() >= *probability
        {
            return None;
        }
        self.fired += 1;
        Some(self.fault)
    }
}

/// Applies `rules` to a request: the latencies that it meets, and the first other fault. A rule behind
/// that one does not count the request.
pub(super) fn judge(rules: &mut [Rule], method: &str, path: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in rules {
        if let Some(fault) = rule.judge(method, path) {
            faults.push(fault);
            if !matches!(fault, Fault::Latency(_)) {
                break;
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn fired(rule: Rule, requests: usize) -> Vec<usize> {
        let mut rules = [rule];
        (1..=requests).filter(|_| !judge(&mut rules, "PUT", "/a").is_empty()).collect()
    }

    #[test]
    fn counting_conditions_add_up() {
        let rule = || Rule::new(Fault::ResetBefore);
        assert_eq!(fired(rule(), 3), [1, 2, 3]);
        assert_eq!(fired(rule().every(3), 10), [3, 6, 9]);
        assert_eq!(fired(rule().times(2), 10), [1, 2]);
        assert_eq!(fired(rule().every(2).times(2), 10), [2, 4]);
        assert_eq!(fired(rule().chance(0.0, 1), 100), [0; 0]);
        assert_eq!(fired(rule().chance(1.0, 1), 2), [1, 2]);
    }

    #[test]
    fn a_seed_decides_which() {
        let run = |seed| fired(Rule::new(Fault::ResetBefore).chance(0.3, seed), 200);
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        assert!((30..90).contains(&run(1).len()), "{}", run(1).len());
    }

    #[test]
    fn only_what_fits_is_counted() {
        let mut rules = [Rule::new(Fault::Status502).method("PUT").path("/a/*").every(2)];
        for (method, path, expected) in
            [("PUT", "/a/1", 0), ("GET", "/a/2", 0), ("PUT", "/b", 0), ("PUT", "/a/3", 1), ("PUT", "/a/4", 0)]
        {
            assert_eq!(judge(&mut rules, method, path).len(), expected, "{method} {path}");
        }
    }

    #[test]
    fn latencies_add_up_and_the_first_other_fault_ends_the_list() {
        let late = Fault::Latency(Duration::from_millis(1));
        let mut rules = [
            Rule::new(late),
            Rule::new(late),
            Rule::new(Fault::Truncate).times(1),
            Rule::new(Fault::ResetBefore).every(2),
        ];
        assert_eq!(judge(&mut rules, "GET", "/"), [late, late, Fault::Truncate]);
        assert_eq!(judge(&mut rules, "GET", "/"), [late, late]);
        assert_eq!(judge(&mut rules, "GET", "/"), [late, late, Fault::ResetBefore]);
    }
}
