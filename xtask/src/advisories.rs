use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::Result;
use crate::cmd::Cmd;

/// How long the database may take to come, and the check with it.
const LIMIT: Duration = Duration::from_secs(120);

/// How often a running check is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// The result of a check of the dependencies against the advisory database.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing is known of any dependency but what `deny.toml` says why to live with.
    Clean,
    /// Something is known.
    Found,
    /// There was nothing to check against, and why.
    NotChecked(String),
}

/// Checks the dependencies against the advisory database, where that can be had: a found advisory fails, the lack
/// of the database does not, and is said.
pub(crate) fn run(root: &Path) -> Result {
    let why = match check(root, &fresh())? {
        Verdict::NotChecked(why) => why,
        verdict => return told(verdict, "as it is now"),
    };
    // A copy of before is better than none.
    match check(root, &held())? {
        Verdict::NotChecked(_) => told(Verdict::NotChecked(why), ""),
        verdict => told(verdict, &format!("as it was when it came last, since {why}")),
    }
}

fn fresh() -> Cmd {
    Cmd::cargo("deny --color never check --hide-inclusion-graph advisories")
}

fn held() -> Cmd {
    Cmd::cargo("deny --color never --offline check --hide-inclusion-graph advisories")
}

/// Says what came of it.
fn told(verdict: Verdict, database: &str) -> Result {
    match verdict {
        Verdict::Clean => println!("no advisories, by the database {database}"),
        Verdict::Found => {
            return Err(format!(
                "advisories were found, by the database {database}: update what they name, or say in deny.toml why not"
            ));
        }
        Verdict::NotChecked(why) => println!("advisories were NOT checked: {why}"),
    }
    Ok(())
}

/// Runs a check within its time, and shows what it says if that is more than that all is well.
fn check(root: &Path, cmd: &Cmd) -> Result<Verdict> {
    println!("$ {cmd}");
    let mut command = cmd.command();
    command.current_dir(root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| format!("{cmd} did not start: {e}"))?;
    let pipe = child.stderr.take();
    // Read beside, so that no full pipe holds it up.
    let reading = std::thread::spawn(move || {
        let mut said = Vec::new();
        let _ = pipe.map(|mut pipe| pipe.read_to_end(&mut said));
        String::from_utf8_lossy(&said).into_owned()
    });
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status.success()),
            Ok(None) if begun.elapsed() < LIMIT => std::thread::sleep(LOOK),
            Ok(None) | Err(_) => {
                let _ = child.kill();
                let _ = child.wait();
                break None;
            }
        }
    };
    // Whoever it started may hold the pipe of one that was ended.
    let said = if ended.is_some() { reading.join().unwrap_or_default() } else { String::new() };
    let verdict = verdict(ended, &said);
    if verdict == Verdict::Found {
        eprintln!("{said}");
    }
    Ok(verdict)
}

/// Reads the result of a check; `ended`: if it succeeded, should it have come to an end.
fn verdict(ended: Option<bool>, said: &str) -> Verdict {
    let Some(succeeded) = ended else {
        return Verdict::NotChecked(format!("the database did not come within {} s", LIMIT.as_secs()));
    };
    // The line that sums up what was checked: only a check that ran has one.
    let sums_up = |how: &str| said.lines().any(|line| line.trim().starts_with(&format!("advisories {how}")));
    if sums_up("FAILED") {
        return Verdict::Found;
    }
    if succeeded && sums_up("ok") {
        return Verdict::Clean;
    }
    let reason = said.lines().find_map(|line| line.split_once("[ERROR]").map(|(_, reason)| reason.trim()));
    let reason = reason.or(said.lines().rfind(|line| !line.trim().is_empty()));
    Verdict::NotChecked(reason.unwrap_or("cargo-deny does not say why").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_ran_decides() {
        assert_eq!(verdict(Some(true), "advisories ok\n"), Verdict::Clean);
        let found = "error[vulnerability]: a buffer overflows\n  ┌─ Cargo.lock:7:1\n\nadvisories FAILED\n";
        assert_eq!(verdict(Some(false), found), Verdict::Found);
        // Whatever it exits with, what is found is found.
        assert_eq!(verdict(Some(true), found), Verdict::Found);
    }

    #[test]
    fn a_check_that_did_not_run_is_none() {
        let why = |ended, said| match verdict(ended, said) {
            Verdict::NotChecked(why) => why,
            verdict => panic!("{verdict:?}"),
        };
        let unreached = "2026-11-29 12:00:00 [ERROR] failed to fetch advisory database https://x: client error (Connect)\n";
        assert_eq!(
            why(Some(false), unreached),
            "failed to fetch advisory database https://x: client error (Connect)"
        );
        let unread =
            "2026-11-29 12:00:00 [ERROR] failed to load advisory database: unsupported CVSS version: 9\n";
        assert!(why(Some(false), unread).starts_with("failed to load advisory database"));
        assert_eq!(why(None, ""), "the database did not come within 120 s");
        assert_eq!(why(Some(false), "error: no such command: `deny`\n\n"), "error: no such command: `deny`");
        // Success without a word of advisories is no check.
        assert_eq!(why(Some(true), ""), "cargo-deny does not say why");
        assert_eq!(why(Some(true), "bans ok, licenses ok\n"), "bans ok, licenses ok");
    }

    #[test]
    fn what_was_not_checked_fails_nothing_and_what_was_found_does() {
        assert_eq!(told(Verdict::NotChecked("no network".to_owned()), ""), Ok(()));
        assert_eq!(told(Verdict::Clean, "as it is now"), Ok(()));
        assert!(told(Verdict::Found, "as it is now").unwrap_err().contains("deny.toml"));
    }

    /// Even where cargo-deny is not there.
    #[test]
    fn a_check_that_cannot_start_or_never_ends_hangs_nothing() {
        let root = crate::root::find().unwrap();
        assert!(check(&root, &Cmd::new("no-such-program-anywhere", &[])).is_err());
        let none = check(&root, &Cmd::cargo("--version")).unwrap();
        assert!(matches!(none, Verdict::NotChecked(_)), "{none:?}");
    }
}
