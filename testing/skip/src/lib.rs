//! How a test says that it was skipped: in a line of one form, which `cargo xtask test` gathers.
//!
//! `cargo test` captures what a passing test prints with macros; such a line is written past that.

#[cfg(target_os = "linux")]
mod disk;

use std::fmt;
use std::io::Write as _;

#[cfg(target_os = "linux")]
pub use disk::Disk;

const CANNOT: &str = "skipped: ";
const COULD: &str = "skipped without need: ";
const REMEDY: &str = "; to have it: ";

/// A test that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The package and the test.
    pub name: String,
    /// The reason.
    pub why: String,
    /// The remedy.
    pub how: String,
    /// This machine has what the test needs, as far as can be told.
    pub could: bool,
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = if self.could { COULD } else { CANNOT };
        write!(f, "{begin}{}: {}{REMEDY}{}", self.name, self.why, self.how)
    }
}

impl Skipped {
    /// Reads a line of what a test program printed. The name of the test may stand before, where the program runs
    /// one at a time.
    pub fn parse(line: &str) -> Option<Self> {
        let begins = |begin: &str| line.split_once(begin).map(|(_, rest)| rest);
        let (could, rest) = match begins(CANNOT) {
            Some(rest) => (false, rest),
            None => (true, begins(COULD)?),
        };
        let (what, how) = rest.split_once(REMEDY)?;
        // The parts of a test's path have no space between them.
        let (name, why) = what.split_once(": ")?;
        Some(Self { name: name.into(), why: why.into(), how: how.trim_end().into(), could })
    }
}

/// Says that the test that runs is skipped, since this machine lacks something.
pub fn skipped(why: impl fmt::Display, how: impl fmt::Display) {
    say(&why, &how, false);
}

/// Says that the test that runs is skipped, although this machine seems to have what it needs:
/// `cargo xtask test` fails.
pub fn skipped_without_need(why: impl fmt::Display, how: impl fmt::Display) {
    say(&why, &how, true);
}

fn say(why: &dyn fmt::Display, how: &dyn fmt::Display, could: bool) {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    // Each test has a thread, which is called what it is called.
    let thread = std::thread::current();
    let name = format!("{package} {}", thread.name().unwrap_or("a test")).trim_start().to_owned();
    let line = Skipped { name, why: why.to_string(), how: how.to_string(), could };
    // In one piece: others print, too.
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_can_be_read() {
        for could in [false, true] {
            let said = Skipped {
                name: "haos-x a::b".into(),
                why: "no shell: none at all".into(),
                how: "install it".into(),
                could,
            };
            assert_eq!(Skipped::parse(&said.to_string()), Some(said.clone()));
            assert_eq!(Skipped::parse(&format!("test a::b ... {said}")), Some(said));
        }
        let line = Skipped::parse("skipped: p t: w; to have it: h\r").map(|said| said.to_string());
        assert_eq!(line.as_deref(), Some("skipped: p t: w; to have it: h"));
        for other in ["", "test a ... ok", "skipped: x", "skipped: a: b", "skipped 3: a: b; to have it: c"] {
            assert_eq!(Skipped::parse(other), None, "{other}");
        }
    }
}
