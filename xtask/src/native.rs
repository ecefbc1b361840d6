use std::path::Path;

use crate::cmd::Cmd;
use crate::web::programs;

/// How many commands run the integration tests: many of those tests wait, or have one thread.
const SHARES: usize = 2;

/// Folders whose packages have test programs, beside the root.
const FURTHER_DOWN: [&str; 3] = ["benches", "bindings", "testing"];

/// Compiles everything native that `cargo test` runs.
pub(crate) fn build() -> Cmd {
    test(&["--no-run"])
}

/// Runs it, in commands that do not wait for each other.
pub(crate) fn runs(root: &Path) -> Vec<Cmd> {
    let names = names(root);
    let mut runs: Vec<_> = (0..SHARES.min(names.len()))
        .map(|share| {
            let mine = names.iter().skip(share).step_by(SHARES);
            test(&mine.flat_map(|name| ["--test", name]).collect::<Vec<_>>())
        })
        .collect();
    runs.extend([test(&["--doc"]), test(&["--lib", "--bins"])]);
    runs
}

/// With the same features each time, so that nothing is compiled twice.
fn test(more: &[&str]) -> Cmd {
    let mut args = vec!["test", "--workspace", "--all-features"];
    args.extend(more);
    Cmd::new("cargo", &args)
}

/// The integration tests of all packages; those of one name run together.
fn names(root: &Path) -> Vec<String> {
    let below = FURTHER_DOWN.iter().map(|folder| root.join(folder));
    let packages = below
        .chain([root.to_owned()])
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .flatten();
    let mut names: Vec<_> = packages
        .filter(|package| package.path().join("Cargo.toml").is_file())
        .flat_map(|package| programs(&package.path().join("tests")))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_runs_once() {
        let root = crate::root::find().unwrap();
        let lines: Vec<_> = runs(&root).iter().map(ToString::to_string).collect();
        for name in ["conformance", "simulation", "kill", "browser"] {
            let of = |line: &String| line.split(' ').filter(|word| *word == name).count();
            assert_eq!(lines.iter().map(of).sum::<usize>(), 1, "{name}: {lines:?}");
        }
        assert_eq!(lines.len(), SHARES + 2);
    }

    #[test]
    fn no_package_further_down_has_programs_that_would_not_run() {
        let root = crate::root::find().unwrap();
        for folder in std::fs::read_dir(&root).unwrap().flatten().map(|entry| entry.path()) {
            // The examples are no members: steps of their own run them. The others are looked through.
            let mut elsewhere = ["target", "examples"].iter().chain(&FURTHER_DOWN);
            if elsewhere.any(|name| folder.ends_with(name)) || !folder.is_dir() {
                continue;
            }
            for package in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
                let is_package = package.join("Cargo.toml").is_file();
                assert!(!is_package || !package.join("tests").exists(), "{}", package.display());
            }
        }
    }
}
