use std::fmt;

use crate::Result;

/// The file of the baseline, and the command that writes it.
pub(crate) const FILE: &str = "benches/instructions.txt";
pub(crate) const BLESS: &str = "cargo xtask bench --check --bless";

/// More than this above the baseline fails, in percent. What is chance in a count is well below it.
const TOLERANCE: u64 = 5;

/// Instructions a call of the hot paths, as they are committed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Baseline {
    /// The compiler and its target: `rustc 1.95.0 (…), x86_64-unknown-linux-gnu`.
    pub(crate) rustc: String,
    /// Names and instructions.
    pub(crate) paths: Vec<(String, u64)>,
}

/// How a path stands to its baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    More,
    Fewer,
    /// The baseline does not have it.
    New,
}

const HEAD: &str = "\
# Instructions a call of hot paths, which `cargo xtask bench --check` compares; `--check --bless` writes this file.
# Counted by valgrind's callgrind, of all threads: the difference of two runs of benches/src/bin/hot.rs that differ
# in the number of calls alone. Valgrind's processor has no SHA instructions, so hashing counts for more here than
# it takes in life. Another compiler, C library or kind of processor counts differently.
";

impl Baseline {
    /// Reads what `Display` writes.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let comments = text.lines().filter_map(|line| line.strip_prefix("# "));
        let rustc = comments.into_iter().find(|line| line.starts_with("rustc "));
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let paths = lines.map(|line| path(line).ok_or_else(|| format!("not `path instructions`: {line}")));
        Ok(Self {
            rustc: rustc.ok_or("no line tells the compiler")?.to_owned(),
            paths: paths.collect::<Result<_>>()?,
        })
    }

    fn of(&self, path: &str) -> Option<u64> {
        self.paths.iter().find(|(name, _)| name == path).map(|(_, instructions)| *instructions)
    }

    /// Judges a path by its present number of instructions.
    pub(crate) fn judge(&self, path: &str, now: u64) -> Verdict {
        match self.of(path) {
            None => Verdict::New,
            Some(then) if now * 100 > then * (100 + TOLERANCE) => Verdict::More,
            Some(then) if now * 100 < then * (100 - TOLERANCE) => Verdict::Fewer,
            Some(_) => Verdict::Same,
        }
    }

    /// Baseline, what is now, and their ratio.
    pub(crate) fn table(&self, now: &[(&str, u64)]) -> String {
        let head = format!("{:<24}{:>12}{:>12}{:>8}\n", "instructions a call", "baseline", "now", "ratio");
        let rows = now.iter().map(|(path, now)| {
            let verdict = self.judge(path, *now);
            match self.of(path) {
                Some(then) => {
                    format!("{path:<24}{then:>12}{now:>12}{:>8.3}{verdict}\n", *now as f64 / then as f64)
                }
                None => format!("{path:<24}{:>12}{now:>12}{:>8}{verdict}\n", "-", "-"),
            }
        });
        head + &rows.collect::<String>()
    }

    /// The words on all of them; an error if a path takes more, or was never counted.
    pub(crate) fn verdict(&self, now: &[(&str, u64)], rustc: &str) -> Result<String> {
        let those = |verdict| {
            let of = now.iter().filter(|(path, now)| self.judge(path, *now) == verdict);
            of.map(|(path, _)| *path).collect::<Vec<_>>().join(", ")
        };
        let (more, new, fewer) = (those(Verdict::More), those(Verdict::New), those(Verdict::Fewer));
        let mut said = Vec::new();
        if !more.is_empty() {
            said.push(format!(
                "over {TOLERANCE} % more instructions than {FILE} has: {more}.\n\
                 If the change is worth them, write a new baseline: `{BLESS}`"
            ));
        }
        if !new.is_empty() {
            said.push(format!("not in {FILE}: {new}. `{BLESS}` adds what is missing"));
        }
        if !fewer.is_empty() {
            said.push(format!(
                "over {TOLERANCE} % fewer: {fewer}. Write a new baseline, to keep it: `{BLESS}`"
            ));
        }
        if self.rustc != rustc {
            said.push(format!("The baseline was counted with {}, this with {rustc}.", self.rustc));
        }
        let fails = !more.is_empty() || !new.is_empty();
        if fails {
            return Err(said.join("\n"));
        }
        said.push(format!("no path takes over {TOLERANCE} % more instructions than {FILE} has"));
        Ok(said.join("\n"))
    }
}

fn path(line: &str) -> Option<(String, u64)> {
    let (name, instructions) = line.split_once(' ')?;
    Some((name.to_owned(), instructions.trim().parse().ok()?))
}

impl fmt::Display for Baseline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{HEAD}# {}\n\n", self.rustc)?;
        self.paths.iter().try_for_each(|(name, instructions)| writeln!(f, "{name:<24}{instructions:>12}"))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Same => "",
            Self::More => "  MORE",
            Self::Fewer => "  fewer",
            Self::New => "  new",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSTC: &str = "rustc 1.95.0 (5980 2026-04-14), x86_64-unknown-linux-gnu";

    fn baseline() -> Baseline {
        let paths = vec![("sqlite-get".to_owned(), 1_000), ("codec-encode".to_owned(), 40)];
        Baseline { rustc: RUSTC.into(), paths }
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(Baseline::parse(&baseline().to_string()), Ok(baseline()));
    }

    #[test]
    fn what_is_no_baseline_says_so() {
        assert!(Baseline::parse("sqlite-get 7\n").unwrap_err().contains("compiler"));
        assert!(Baseline::parse("# rustc 1\nsqlite-get\n").unwrap_err().contains("sqlite-get"));
        assert!(Baseline::parse("# rustc 1\nsqlite-get many\n").unwrap_err().contains("many"));
    }

    #[test]
    fn only_what_is_beyond_the_tolerance_counts() {
        let verdicts = [949, 950, 1_000, 1_050, 1_051].map(|now| baseline().judge("sqlite-get", now));
        assert_eq!(verdicts, [Verdict::Fewer, Verdict::Same, Verdict::Same, Verdict::Same, Verdict::More]);
        assert_eq!(baseline().judge("sled-get", 1), Verdict::New);
    }

    #[test]
    fn more_fails_and_fewer_is_told() {
        let said = baseline().verdict(&[("sqlite-get", 1_100), ("codec-encode", 40)], RUSTC).unwrap_err();
        assert!(
            said.contains("more") && said.contains("sqlite-get") && !said.contains("codec-encode"),
            "{said}"
        );
        let said = baseline().verdict(&[("sqlite-get", 900), ("codec-encode", 40)], RUSTC).unwrap();
        assert!(said.contains("fewer: sqlite-get") && said.contains("no path"), "{said}");
        assert!(baseline().verdict(&[("sled-get", 1)], RUSTC).unwrap_err().contains(BLESS));
    }

    #[test]
    fn another_compiler_is_told_and_judged_all_the_same() {
        let another = "rustc 1.99.0, x86_64-unknown-linux-gnu";
        let said = baseline().verdict(&[("sqlite-get", 1_000)], another).unwrap();
        assert!(said.contains(RUSTC) && said.contains(another), "{said}");
        assert!(baseline().verdict(&[("sqlite-get", 1_100)], another).unwrap_err().contains(another));
        assert!(!baseline().verdict(&[("sqlite-get", 1_000)], RUSTC).unwrap().contains("rustc"));
    }

    #[test]
    fn the_table_has_what_was_and_what_is() {
        let table = baseline().table(&[("sqlite-get", 1_100), ("sled-get", 5)]);
        let words = |n: usize| table.lines().nth(n).unwrap().split_whitespace().collect::<Vec<_>>();
        assert_eq!(words(1), ["sqlite-get", "1000", "1100", "1.100", "MORE"]);
        assert_eq!(words(2), ["sled-get", "-", "5", "-", "new"]);
    }
}
