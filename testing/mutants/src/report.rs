//! The findings of a run, a line a file, and the survivors.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::scope;

/// The outcome for a mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Its name.
    pub(crate) name: String,
    /// The line of its place.
    pub(crate) line: usize,
    /// `program: test` that found it; none: it survived.
    pub(crate) found_by: Option<String>,
    /// A test reaches its place.
    pub(crate) reached: bool,
    /// It has a name: the tests that it is for must find it.
    pub(crate) is_named: bool,
    /// The hash of its file's text.
    pub(crate) text: u64,
    /// The hash of the programs that were asked.
    pub(crate) programs: u64,
}

/// Mistakes that change nothing that anybody could see, each with a reason.
#[derive(Debug, Default)]
pub(crate) struct Equivalent(BTreeMap<String, String>);

impl Equivalent {
    /// Reads `name => reason` lines; what begins with `#` is a remark.
    ///
    /// # Errors
    /// A line without a reason.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut all = BTreeMap::new();
        for (line, number) in
            text.lines().zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
        {
            match line.split_once(" => ") {
                Some((name, reason)) if !reason.trim().is_empty() => {
                    drop(all.insert(name.to_owned(), reason.to_owned()))
                }
                _ => return Err(format!("line {number} has no ` => ` with a reason behind it")),
            }
        }
        Ok(Self(all))
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Those that no mistake bears any more.
    pub(crate) fn stale<'a>(&'a self, names: &std::collections::BTreeSet<&str>) -> Vec<&'a str> {
        self.0.keys().map(String::as_str).filter(|name| !names.contains(name)).collect()
    }
}

/// The table and the list of survivors.
pub(crate) fn text(outcomes: &[Outcome], equivalent: &Equivalent) -> String {
    let mut files: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut groups: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for outcome in outcomes {
        let file = outcome.name.split(": ").next().unwrap_or_default();
        let column = match &outcome.found_by {
            Some(_) => 1,
            None if equivalent.has(&outcome.name) => 2,
            None => continue,
        };
        files.entry(file).or_default()[column] += 1;
        groups.entry(scope::group(file)).or_default()[column] += 1;
    }
    for outcome in outcomes {
        let file = outcome.name.split(": ").next().unwrap_or_default();
        files.entry(file).or_default()[0] += 1;
        groups.entry(scope::group(file)).or_default()[0] += 1;
    }
    let mut text =
        String::from("| | tried | found | equivalent | of those that matter |\n|---|---|---|---|---|\n");
    let row = |name: &str, [tried, found, same]: [usize; 3]| {
        let share = if tried > same { 100.0 * found as f64 / (tried - same) as f64 } else { 100.0 };
        format!("| {name} | {tried} | {found} | {same} | {share:.0} % |\n")
    };
    groups.iter().for_each(|(name, counts)| text += &row(&format!("**{name}**"), *counts));
    files.iter().for_each(|(name, counts)| text += &row(name, *counts));
    for survivor in survivors(outcomes, equivalent) {
        let reached = if survivor.reached { "" } else { " (no test comes here)" };
        let _ = writeln!(text, "survived: {} [line {}]{reached}", survivor.name, survivor.line);
    }
    text
}

/// Those that were not found and are not known to change nothing.
pub(crate) fn survivors<'a>(outcomes: &'a [Outcome], equivalent: &Equivalent) -> Vec<&'a Outcome> {
    outcomes.iter().filter(|outcome| outcome.found_by.is_none() && !equivalent.has(&outcome.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survivors_are_those_without_a_reason() {
        let outcome = |name: &str, found: bool| Outcome {
            name: format!("haos-queue/src/answer.rs: f: {name}"),
            line: 3,
            found_by: found.then(|| "a: b".to_owned()),
            reached: found,
            is_named: false,
            text: 0,
            programs: 0,
        };
        let outcomes = [outcome("a", true), outcome("b", false), outcome("c", false)];
        let known = Equivalent::parse("# why\nhaos-queue/src/answer.rs: f: b => both are zero\n").unwrap();
        let text = text(&outcomes, &known);
        assert!(text.contains("| **haos-queue/answer** | 3 | 1 | 1 | 50 % |"), "{text}");
        assert!(
            text.contains("survived: haos-queue/src/answer.rs: f: c [line 3] (no test comes here)"),
            "{text}"
        );
        assert_eq!(survivors(&outcomes, &known).len(), 1);
        assert!(Equivalent::parse("a: b\n").is_err());
        assert_eq!(known.stale(&["other"].into()), ["haos-queue/src/answer.rs: f: b"]);
    }
}
