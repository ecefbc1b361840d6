use std::path::Path;

use crate::cmd::Cmd;
use crate::engine::BrowserEngine;
use crate::tools;

/// The packages with tests for browsers.
const PACKAGES: [&str; 4] = ["haos-web", "haos-store-idb", "haos-store", "haos-queue"];
/// How a test program is told where to run.
const CONTEXTS: [&str; 3] =
    ["WASM_BINDGEN_USE_BROWSER", "WASM_BINDGEN_USE_DEDICATED_WORKER", "WASM_BINDGEN_USE_SERVICE_WORKER"];
const TARGET: &str = "wasm32-unknown-unknown";
/// For all tests of a program.
const TIMEOUT_S: u32 = 900;
/// The prefix of the test programs of `testing/e2e/` that drive browsers.
pub(crate) const DRIVING: &str = "browser";

/// A test program for browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    package: &'static str,
    name: String,
}

/// The test programs that are compiled for browsers alone, as their first lines say.
pub(crate) fn targets(root: &Path) -> Vec<Target> {
    let mut targets = Vec::new();
    for package in PACKAGES {
        for (name, source) in programs(&root.join(package).join("tests")) {
            let mut attributes = source.lines().filter(|line| line.starts_with("#![cfg("));
            if attributes.any(|line| line.contains("target_arch = \"wasm32\"") && !line.contains("not(")) {
                targets.push(Target { package, name });
            }
        }
    }
    targets
}

/// Name and main file of every test program of a folder.
pub(crate) fn programs(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut programs: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.path();
            let name = path.file_stem()?.to_str()?.to_owned();
            let main = if path.is_dir() { path.join("main.rs") } else { path };
            main.extension().filter(|end| *end == "rs")?;
            Some((name, std::fs::read_to_string(main).ok()?))
        })
        .collect();
    programs.sort();
    programs
}

/// The test programs of `testing/e2e/` that drive browsers from outside.
pub(crate) fn driving(root: &Path) -> Vec<String> {
    let names = programs(&root.join("testing/e2e/tests")).into_iter().map(|(name, _)| name);
    names.filter(|name| name.starts_with(DRIVING)).collect()
}

/// Compiles the programs, once for all engines.
pub(crate) fn build(targets: &[Target]) -> Cmd {
    test(&names(targets), &["--no-run"])
}

/// Runs each in every context of the first engine, and in windows of the others; with `full` in every context of all.
pub(crate) fn runs(root: &Path, targets: &[Target], engines: &[BrowserEngine], full: bool) -> Vec<Cmd> {
    let mut runs = Vec::new();
    for (nr, engine) in engines.iter().enumerate() {
        let contexts = if full || nr == 0 { &CONTEXTS[..] } else { &CONTEXTS[..1] };
        for context in contexts {
            let names = names(targets).into_iter();
            runs.extend(names.map(|name| engine.run_in(test(&[name], &[]).env(context, 1), root)));
        }
    }
    runs
}

/// The suite of matrix-sdk-crypto for its stores, in windows: dear to compile, and the same code as natively but for the
/// store below it.
pub(crate) fn keys(root: &Path, engines: &[BrowserEngine]) -> Vec<Cmd> {
    let test = || {
        let args = ["-p", "haos-crypto", "--features", "js", "--test", "browser", "--no-fail-fast"];
        let cmd = Cmd::new("cargo", &[&["test", "--target", TARGET], &args[..]].concat());
        small(cmd).env("WASM_BINDGEN_TEST_TIMEOUT", TIMEOUT_S).env(CONTEXTS[0], 1)
    };
    engines.iter().map(|engine| engine.run_in(test(), root)).collect()
}

/// Each once: packages may have programs of the same name, which then run together.
fn names(targets: &[Target]) -> Vec<&str> {
    let mut names: Vec<_> = targets.iter().map(|target| target.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Drives browsers from outside, with all that it may need to know.
pub(crate) fn drive(root: &Path, engines: &[BrowserEngine]) -> Option<Cmd> {
    let tests = driving(root);
    if tests.is_empty() {
        return None;
    }
    // With the features of the whole workspace, so that nothing is built again after the step `test`.
    let mut args = vec!["test", "--workspace", "--all-features", "--no-fail-fast"];
    args.extend(tests.iter().flat_map(|name| ["--test", name]));
    args.extend(["--", "--include-ignored", "--test-threads=1", "--nocapture"]);
    let names: Vec<_> = engines.iter().map(ToString::to_string).collect();
    let bindings = tools::WASM_BINDGEN.path_of(root, "wasm-bindgen");
    let cmd =
        Cmd::new("cargo", &args).env("HAOS_BROWSERS", names.join(",")).env("HAOS_WASM_BINDGEN", bindings);
    Some(engines.iter().fold(cmd, |cmd, engine| {
        let (variable, driver) = engine.driver(root);
        cmd.env(variable, driver)
    }))
}

/// Always of all packages: which are named decides about the features of what they share.
fn test(names: &[&str], more: &[&str]) -> Cmd {
    let mut args = vec!["test", "--target", TARGET, "--no-fail-fast"];
    args.extend(PACKAGES.into_iter().flat_map(|package| ["-p", package]));
    args.extend(names.iter().flat_map(|name| ["--test", name]));
    args.extend(more);
    small(Cmd::new("cargo", &args)).env("WASM_BINDGEN_TEST_TIMEOUT", TIMEOUT_S)
}

/// Without debug information a module is a fifth of the size, and each run passes it through wasm-bindgen.
pub(crate) fn small(cmd: Cmd) -> Cmd {
    cmd.env("CARGO_PROFILE_DEV_DEBUG", 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str) -> Target {
        Target { package: "haos-web", name: name.to_owned() }
    }

    #[test]
    fn every_package_has_tests_for_browsers() {
        let root = crate::root::find().unwrap();
        let found = targets(&root);
        for package in PACKAGES {
            assert!(found.iter().any(|target| target.package == package), "{package}: {found:?}");
        }
        assert!(found.iter().all(|target| target.name != "simulation"), "{found:?}");
        assert!(!driving(&root).is_empty());
    }

    #[test]
    fn each_program_runs_in_each_context_of_each_engine_in_full() {
        let targets = [target("one"), target("other"), target("one")];
        let lines = |full| -> Vec<String> {
            let runs = runs(Path::new("root"), &targets, &BrowserEngine::ALL, full);
            runs.iter().map(ToString::to_string).collect()
        };
        let of = |full, part: &str| lines(full).iter().filter(|line| line.contains(part)).count();
        assert_eq!(lines(true).len(), 2 * BrowserEngine::ALL.len() * CONTEXTS.len());
        assert_eq!(of(true, "USE_SERVICE_WORKER=1"), 6);
        assert_eq!((of(false, "USE_BROWSER=1"), of(false, "USE_SERVICE_WORKER=1")), (6, 2));
    }

    #[test]
    fn nothing_is_compiled_twice() {
        // The settings that decide how a program is compiled are the same for the build and for every run.
        let targets = [target("any")];
        let built = build(&targets).to_string();
        for run in runs(Path::new("root"), &targets, &[BrowserEngine::Firefox], true) {
            let run = run.to_string();
            for part in ["CARGO_PROFILE_DEV_DEBUG=0", "--target wasm32-unknown-unknown"] {
                assert!(built.contains(part) && run.contains(part), "{run}");
            }
        }
    }
}
