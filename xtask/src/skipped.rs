use std::collections::{BTreeMap, BTreeSet};

use haos_skip::Skipped;

use crate::Result;

/// The skipped tests of a run, each once.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct All(BTreeSet<Skipped>);

impl All {
    /// Takes the lines that say so from what a command printed.
    pub(crate) fn gather(&mut self, output: &str) {
        self.0.extend(output.lines().filter_map(Skipped::parse));
    }

    /// Adds what was not even begun.
    pub(crate) fn add(&mut self, skipped: Skipped) {
        self.0.insert(skipped);
    }

    /// The skipped tests, one reason after the other; `None` without any.
    pub(crate) fn summary(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| format!("skipped, {}:{}", self.0.len(), told(self.0.iter())))
    }

    /// Fails if something was skipped that this machine could have had.
    pub(crate) fn check(&self) -> Result {
        let mut needless = self.0.iter().filter(|skipped| skipped.could).peekable();
        match needless.peek() {
            None => Ok(()),
            Some(_) => Err(format!("skipped, although this machine could have run it:{}", told(needless))),
        }
    }
}

/// The names by reason: what lacks one thing is told together.
fn told<'a>(skipped: impl Iterator<Item = &'a Skipped>) -> String {
    let mut reasons: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
    for one in skipped {
        reasons.entry((&one.why, &one.how)).or_default().push(&one.name);
    }
    let reason = |((why, how), names): ((&str, &str), Vec<&str>)| {
        format!("\n  {why}; to have it: {how}\n    {}", names.join("\n    "))
    };
    reasons.into_iter().map(reason).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "running 4 tests
test a::c ... ok
skipped: haos-a a::b: no shell; to have it: install it
test a::b ... skipped: haos-a a::d: no disk; to have it: be root
ok
skipped: haos-b b: no shell; to have it: install it
skipped: haos-a a::b: no shell; to have it: install it
test e ... ignored, needs Synapse
";

    #[test]
    fn lines_are_gathered_from_outputs_and_told_by_reason() {
        let mut all = All::default();
        assert_eq!((all.summary(), all.check()), (None, Ok(())));
        all.gather(OUTPUT);
        all.gather("skipped: haos-c c: no disk; to have it: be root");
        let summary = "skipped, 4:
  no disk; to have it: be root
    haos-a a::d
    haos-c c
  no shell; to have it: install it
    haos-a a::b
    haos-b b";
        assert_eq!((all.summary().as_deref(), all.check()), (Some(summary), Ok(())));
    }

    #[test]
    fn what_could_have_been_had_is_a_failure() {
        let mut all = All::default();
        all.gather(OUTPUT);
        all.gather("skipped without need: haos-d d: no disk; to have it: look why");
        let failure = "skipped, although this machine could have run it:\n  no disk; to have it: look why\n    haos-d d";
        assert_eq!(all.check(), Err(failure.to_owned()));
        assert!(
            all.summary()
                .is_some_and(|summary| summary.starts_with("skipped, 4:") && summary.contains("haos-d d"))
        );
    }

    #[test]
    fn a_test_that_says_so_is_heard() {
        let said = Skipped { name: "p t".into(), why: "w".into(), how: "h".into(), could: true };
        let (mut heard, mut added) = (All::default(), All::default());
        heard.gather(&format!("x\n{said}\n"));
        added.add(said);
        assert_eq!(heard, added);
    }
}
