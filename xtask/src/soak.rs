use crate::cmd::Cmd;

/// Scripts of the conformance suite when nothing else is said: fewer than the thousand that `cargo test`
/// runs by itself, since each of six stores runs them.
const SCRIPTS: u32 = 250;

/// In a browser, where a script takes a hundred times as long, and three contexts of each engine run them.
const BROWSER_SCRIPTS: u32 = 200;

/// How long the soaking tests go on; unset leaves them their own defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Soak {
    scripts: u32,
    browser_scripts: u32,
    kills: Option<u32>,
    seeds: Option<u32>,
}

impl Soak {
    pub(crate) fn new(full: bool, scripts: Option<u32>, kills: Option<u32>, seeds: Option<u32>) -> Self {
        Self {
            scripts: scripts.unwrap_or(if full { 20_000 } else { SCRIPTS }),
            browser_scripts: scripts.unwrap_or(if full { 2_000 } else { BROWSER_SCRIPTS }),
            kills: kills.or(full.then_some(100)),
            seeds: seeds.or(full.then_some(100_000)),
        }
    }

    pub(crate) fn pass_to(self, cmd: Cmd) -> Cmd {
        let cmd = cmd.env("HAOS_SCRIPTS", self.scripts);
        let others = [("HAOS_KILLS", self.kills), ("HAOS_SEEDS", self.seeds)];
        others.into_iter().fold(cmd, |cmd, (name, value)| match value {
            Some(value) => cmd.env(name, value),
            None => cmd,
        })
    }

    /// There is no environment in a browser: it is compiled into the tests.
    pub(crate) fn in_browsers(self, cmd: Cmd) -> Cmd {
        cmd.env("HAOS_SCRIPTS", self.browser_scripts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_soaks_long_and_flags_win_over_it() {
        let usual = Soak::new(false, None, None, None);
        assert_eq!(usual.pass_to(Cmd::cargo("test")).to_string(), "HAOS_SCRIPTS=250 cargo test");
        assert_eq!(usual.in_browsers(Cmd::cargo("test")).to_string(), "HAOS_SCRIPTS=200 cargo test");
        let full = Soak::new(true, None, None, None);
        let line = full.pass_to(Cmd::cargo("test")).to_string();
        assert_eq!(line, "HAOS_SCRIPTS=20000 HAOS_KILLS=100 HAOS_SEEDS=100000 cargo test");
        let seven = Soak::new(true, Some(7), None, None);
        assert_eq!(seven, Soak { scripts: 7, browser_scripts: 7, ..full });
        assert_eq!(seven.in_browsers(Cmd::cargo("test")).to_string(), "HAOS_SCRIPTS=7 cargo test");
    }
}
