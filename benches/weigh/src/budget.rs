use std::fs;
use std::path::{Path, PathBuf};

use crate::Result;

/// By so many hundredths what is weighed may grow before the budget has to be raised.
const PERCENT: usize = 2;

/// What each part may weigh: a line each, its bytes and its name.
pub(crate) struct Budget(PathBuf);

impl Budget {
    pub(crate) fn at(file: &Path) -> Self {
        Self(file.to_owned())
    }

    /// Prints name, bytes now, budget and goal of each, the goal in KB; with `bless` what is weighed becomes the budget.
    pub(crate) fn check(&self, weights: &[(&str, usize, usize)], bless: bool) -> Result {
        let text = fs::read_to_string(&self.0).unwrap_or_default();
        let mut over = Vec::new();
        for (name, bytes, goal) in weights {
            let budget = budget(&text, name);
            let told = budget.map_or("none".to_owned(), |budget| budget.to_string());
            println!("{name:44} {bytes:>9} {told:>9} {:>9}", goal * 1024);
            if is_over(*bytes, budget) {
                over.push(*name);
            }
        }
        if bless {
            // What was not weighed keeps its budget.
            let is_weighed = |of: &str| weights.iter().any(|(name, ..)| *name == of);
            let kept = text.lines().filter(|line| !entry(line).is_some_and(|(_, of)| is_weighed(of)));
            let weighed = weights.iter().map(|(name, bytes, _)| format!("{bytes:>8} {name}"));
            let lines: String = weighed.chain(kept.map(str::to_owned)).map(|line| line + "\n").collect();
            return fs::write(&self.0, lines).map_err(|e| format!("{}: {e}", self.0.display()));
        }
        match over.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "more than {PERCENT} % over the budget: {}. Make it smaller, or, if it is worth its size, \
                 `cargo xtask size --bless`",
                over.join("; ")
            )),
        }
    }
}

/// The bytes and the name in a line.
fn entry(line: &str) -> Option<(&str, &str)> {
    line.trim_start().split_once(' ')
}

fn budget(text: &str, name: &str) -> Option<usize> {
    text.lines().filter_map(entry).find(|(_, of)| *of == name)?.0.parse().ok()
}

/// What has no budget is over it.
fn is_over(bytes: usize, budget: Option<usize>) -> bool {
    budget.is_none_or(|budget| bytes * 100 > budget * (100 + PERCENT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_may_be_passed_by_a_little() {
        let text = "   1000 one\n   2000 one and two\n";
        assert_eq!(
            (budget(text, "one"), budget(text, "one and two"), budget(text, "two")),
            (Some(1000), Some(2000), None)
        );
        assert!(!is_over(1020, Some(1000)) && is_over(1021, Some(1000)) && is_over(1, None));
    }
}
