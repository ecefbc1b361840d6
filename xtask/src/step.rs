use std::fmt;
use std::path::Path;

use clap::ValueEnum;

use crate::cmd::Cmd;
use crate::need::Need;
use crate::{fuzz, synapse};

/// One part of `cargo xtask test`, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StepName {
    Tidy,
    Fmt,
    Clippy,
    Test,
    Wasm,
    Doc,
    Outside,
    Demo,
    E2e,
    Bench,
    Deny,
    Fuzz,
}

impl fmt::Display for StepName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// A step, what it needs of the machine and what it runs.
pub(crate) struct Step {
    pub(crate) name: StepName,
    pub(crate) about: &'static str,
    pub(crate) needs: Vec<Need>,
    /// Without these the step is skipped, and says so.
    pub(crate) optional: Vec<Need>,
    /// None: the style checks, which run inside this process.
    pub(crate) commands: Vec<Cmd>,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {}", self.name, self.about)?;
        self.commands.iter().try_for_each(|cmd| write!(f, "\n         $ {cmd}"))
    }
}

/// How long the soaking tests go on; unset leaves them their own defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Soak {
    pub(crate) scripts: Option<u32>,
    pub(crate) seeds: Option<u32>,
    pub(crate) kills: Option<u32>,
}

impl Soak {
    pub(crate) fn new(full: bool, scripts: Option<u32>, kills: Option<u32>, seeds: Option<u32>) -> Self {
        Self {
            scripts: scripts.or(full.then_some(20_000)),
            kills: kills.or(full.then_some(100)),
            seeds: seeds.or(full.then_some(100_000)),
        }
    }

    fn pass_to(self, mut cmd: Cmd) -> Cmd {
        let soaks = [("HAOS_SCRIPTS", self.scripts), ("HAOS_KILLS", self.kills), ("HAOS_SEEDS", self.seeds)];
        for (name, value) in soaks {
            if let Some(value) = value {
                cmd = cmd.env(name, value);
            }
        }
        cmd
    }
}

/// The steps of a run; `full` also compiles the benches as they are measured.
pub(crate) fn all(root: &Path, full: bool, soak: Soak) -> Vec<Step> {
    use StepName::*;
    let wasm = "check --target wasm32-unknown-unknown";
    let outside = "examples/outside-backend/Cargo.toml";
    let mut steps = vec![
        step(Tidy, "style: sizes, whitespace, migrations, arrows between crates", &[]),
        step(Fmt, "formatting", &["fmt --all --check"]).needs(Need::Rustfmt),
        step(
            Clippy,
            "lints of every target, benches and examples included",
            &["clippy --workspace --all-targets --all-features -- -D warnings"],
        )
        .needs(Need::Clippy),
        step(Test, "unit, integration and doc tests", &["test --workspace --all-features"]).soaks(soak),
        step(
            Wasm,
            "what frontends share also compiles for browsers",
            &[
                &format!("{wasm} -p haos-store-api -p haos-queue -p haos-matrix"),
                &format!("{wasm} -p haos-store-api --features conformance,seal"),
                &format!("{wasm} -p haos-queue --no-default-features"),
            ],
        )
        .needs(Need::WasmTarget),
        step(Doc, "documentation without warnings", &["doc --workspace --all-features --no-deps"])
            .env("RUSTDOCFLAGS", "-D warnings"),
        step(
            Outside,
            "a backend outside the workspace passes the conformance suite",
            &[
                &format!("fmt --check --manifest-path {outside}"),
                &format!("test --manifest-path {outside} --target-dir target/outside"),
            ],
        )
        .needs(Need::Rustfmt)
        .soaks(soak),
        demo(full),
        e2e(root, full),
    ];
    if full {
        steps.push(step(Bench, "the benches compile as measured", &["bench --workspace --no-run"]));
    }
    // fetch: cargo-deny reads the crates of every platform, a build only those of its own.
    let deny = ["fetch", "deny --offline check --hide-inclusion-graph bans licenses sources"];
    steps.push(
        step(Deny, "licences, duplicates and sources of dependencies", &deny).only_with(&[Need::CargoDeny]),
    );
    steps.push(
        step(Fuzz, "each fuzz target for some seconds over its corpus", &["xtask fuzz --smoke"])
            .only_with(&fuzz::NEEDS),
    );
    steps
}

/// The demo: with `full` as the README has it, else with the program that the step `test` built.
fn demo(full: bool) -> Step {
    let about = "the demo of the README";
    if full {
        return step(StepName::Demo, about, &["run --release -p haos-cli -- demo"]);
    }
    let mut step = step(StepName::Demo, about, &["test --workspace --all-features --no-run"]);
    // Cargo puts all programs of a profile into one folder.
    let beside = std::env::current_exe().unwrap_or_default();
    let haos = beside.with_file_name(format!("haos{}", std::env::consts::EXE_SUFFIX));
    step.commands.push(Cmd::new(&haos.to_string_lossy(), &["demo"]));
    step
}

/// The test programs of `e2e/` that need a homeserver.
const WITH_SYNAPSE: [&str; 7] = ["absence", "answers", "catch_up", "demo", "harness", "media", "storm"];

/// `full`: with as many messages as the storm has by itself.
fn e2e(root: &Path, full: bool) -> Step {
    // With the features of the whole workspace, so that nothing is built anew after the step `test`.
    let tests: String = WITH_SYNAPSE.iter().map(|name| format!(" --test {name}")).collect();
    let line = format!("test --workspace --all-features{tests} -- --ignored --test-threads=2 --nocapture");
    let mut step = step(StepName::E2e, "end to end with a real homeserver", &[&line])
        .env("HAOS_SYNAPSE", &synapse::folder(root).to_string_lossy());
    if !full {
        step = step.env("HAOS_E2E_MESSAGES", "800");
    }
    // The server's clock is moved by means of Linux: elsewhere it runs where somebody has provided for it.
    if cfg!(target_os = "linux") {
        step.needs(Need::Synapse).needs(Need::Faketime)
    } else {
        step.only_with(&[Need::Synapse, Need::Faketime])
    }
}

/// Those of `steps` that `only` names; all when it names none.
pub(crate) fn select(mut steps: Vec<Step>, only: &[StepName]) -> Vec<Step> {
    steps.retain(|step| only.is_empty() || only.contains(&step.name));
    steps
}

fn step(name: StepName, about: &'static str, lines: &[&str]) -> Step {
    let commands = lines.iter().map(|line| Cmd::cargo(line)).collect();
    Step { name, about, needs: Vec::new(), optional: Vec::new(), commands }
}

impl Step {
    fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    fn only_with(mut self, needs: &[Need]) -> Self {
        self.optional = needs.to_vec();
        self
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.commands = self.commands.into_iter().map(|cmd| cmd.env(name, value)).collect();
        self
    }

    fn soaks(mut self, soak: Soak) -> Self {
        self.commands = self.commands.into_iter().map(|cmd| soak.pass_to(cmd)).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(full: bool, soak: Soak) -> String {
        all(Path::new("root"), full, soak).iter().map(|step| format!("{step}\n")).collect()
    }

    #[test]
    fn a_plain_run_leaves_the_soaks_their_defaults() {
        let text = printed(false, Soak::new(false, None, None, None));
        for soak in ["HAOS_SCRIPTS", "HAOS_SEEDS", "HAOS_KILLS="] {
            assert!(!text.contains(soak), "{text}");
        }
        assert!(!text.contains("cargo bench"), "{text}");
    }

    #[test]
    fn full_soaks_long_and_flags_win_over_it() {
        let full = Soak { scripts: Some(20_000), kills: Some(100), seeds: Some(100_000) };
        assert_eq!(Soak::new(true, None, None, None), full);
        assert_eq!(Soak::new(true, Some(7), None, None), Soak { scripts: Some(7), ..full });
        let text = printed(true, Soak::new(false, None, Some(3), None));
        assert!(text.contains("$ HAOS_KILLS=3 cargo test --workspace --all-features"), "{text}");
        assert!(text.contains("$ cargo bench --workspace --no-run"), "{text}");
    }

    #[test]
    fn every_program_of_the_end_to_end_tests_runs() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e/tests");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        // The proxy is tested without a homeserver, with everything else.
        let mut names: Vec<_> = names.filter(|name| *name != "proxy").collect();
        names.sort();
        assert_eq!(names, WITH_SYNAPSE);
    }

    #[test]
    fn the_homeserver_is_found_from_everywhere() {
        let text = printed(false, Soak::new(false, None, None, None));
        assert!(text.contains("$ HAOS_SYNAPSE=root"), "{text}");
    }

    #[test]
    fn only_keeps_the_order_of_the_run() {
        let steps = select(
            all(Path::new(""), false, Soak::new(false, None, None, None)),
            &[StepName::Doc, StepName::Fmt],
        );
        assert_eq!(steps.iter().map(|step| step.name).collect::<Vec<_>>(), [StepName::Fmt, StepName::Doc]);
    }
}
