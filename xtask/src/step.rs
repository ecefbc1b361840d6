use std::fmt;
use std::path::Path;

use clap::ValueEnum;

use crate::cmd::Cmd;
use crate::engine::BrowserEngine;
use crate::need::Need;
use crate::soak::Soak;
use crate::{fuzz, js, native, rivals, size, synapse, web};

/// One part of `cargo xtask test`, in the order in which they run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StepName {
    Tidy,
    Fmt,
    Clippy,
    Test,
    Wasm,
    Web,
    Size,
    Js,
    Doc,
    Package,
    Demo,
    E2e,
    Outside,
    Mutants,
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
pub(crate) struct CiStep {
    pub(crate) name: StepName,
    pub(crate) about: &'static str,
    pub(crate) needs: Vec<Need>,
    /// Without these the step is skipped, and says so.
    pub(crate) optional: Vec<Need>,
    /// Neither these nor others beside each other: the style checks, which run inside this process.
    pub(crate) commands: Vec<Cmd>,
    /// The commands that run after them, side by side.
    pub(crate) beside: Vec<Cmd>,
}

impl fmt::Display for CiStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} {}", self.name, self.about)?;
        let commands = self.commands.iter().chain(&self.beside);
        commands.into_iter().try_for_each(|cmd| write!(f, "\n         $ {cmd}"))
    }
}

const WASM: &str = "--target wasm32-unknown-unknown";

/// The request for a run.
pub(crate) struct Plan {
    /// Everything as long and as large as it is meant to be, not as a change has time for.
    pub(crate) full: bool,
    pub(crate) soak: Soak,
    pub(crate) engines: Vec<BrowserEngine>,
}

/// The steps of a run; a full one also tests a backend of somebody else, weighs, makes mistakes, fuzzes and compiles the benches as they are measured.
pub(crate) fn all(root: &Path, plan: &Plan) -> Vec<CiStep> {
    use StepName::*;
    let (outside, rivals) = ("examples/outside-backend/Cargo.toml", rivals::MANIFEST);
    let mut steps = vec![
        step(Tidy, "style: sizes, whitespace, migrations, arrows between crates", &[]),
        step(
            Fmt,
            "formatting",
            &[
                "fmt --all --check",
                &format!("fmt --all --check --manifest-path {rivals}"),
                &format!("fmt --check --manifest-path {outside}"),
            ],
        )
        .needs(&[Need::Rustfmt]),
        step(
            Clippy,
            "lints of every target, benches and examples included",
            &["clippy --workspace --all-targets --all-features -- -D warnings"],
        )
        .needs(&[Need::Clippy]),
        test(root, plan),
        wasm(root, plan),
        web(root, plan),
        js(root, plan),
        step(Doc, "documentation without warnings", &["doc --workspace --all-features --no-deps"])
            .each(|cmd| cmd.env("RUSTDOCFLAGS", "-D warnings")),
        package(root, plan.full),
        demo(plan.full),
        e2e(root, plan.full),
    ];
    if plan.full {
        let about = "a backend outside the workspace passes the conformance suite";
        let test = format!("test --manifest-path {outside} --target-dir target/outside");
        steps.push(step(Outside, about, &[&test]).each(|cmd| plan.soak.pass_to(cmd)));
        steps.extend([size(root), mutants()]);
        let peers = format!("build --release --manifest-path {rivals} --target-dir target/rivals");
        steps.push(step(Bench, "the benches compile as measured", &["bench --workspace --no-run", &peers]));
    }
    // fetch: cargo-deny reads the crates of every platform, a build only those of its own.
    let deny =
        ["fetch", "deny --offline check --hide-inclusion-graph bans licenses sources", "xtask advisories"];
    let about = "licences, duplicates and sources of dependencies, and what is known against them";
    steps.push(step(Deny, about, &deny).only_with(&[Need::CargoDeny]));
    if plan.full {
        steps.push(
            step(Fuzz, "each fuzz target for some seconds over its corpus", &["xtask fuzz --smoke"])
                .only_with(&fuzz::NEEDS),
        );
    }
    steps
}

fn test(root: &Path, plan: &Plan) -> CiStep {
    let mut step = step(StepName::Test, "unit, integration and doc tests", &[]);
    step.commands.push(native::build());
    step.beside = native::runs(root);
    // Elsewhere a test says that it was skipped, and a plain connection stands in.
    let needs: &[Need] = if cfg!(target_os = "linux") { &[Need::SqliteShell] } else { &[] };
    step.needs(needs).each(|cmd| plan.soak.pass_to(cmd))
}

/// Makes the browsers' tests; with `full` also each package alone, which `js` compiles together.
fn wasm(root: &Path, plan: &Plan) -> CiStep {
    let alone = ["haos-matrix", "haos-store-api", "haos-queue --no-default-features", "haos"];
    let mut step = step(StepName::Wasm, "what frontends share also compiles for browsers", &[])
        .needs(&[Need::WasmTarget]);
    step.commands.push(plan.soak.in_browsers(web::build(&web::targets(root))));
    if plan.full {
        let check = |package| web::small(Cmd::cargo(&format!("check {WASM} -p {package}")));
        step.commands.extend(alone.map(check));
    }
    step
}

/// Tabs and browsers killed where nothing else is said; the tests by themselves kill thirty.
const KILLS: u32 = 4;

/// The tests of the browsers' crates, in browsers.
fn web(root: &Path, plan: &Plan) -> CiStep {
    let targets = web::targets(root);
    let mut step = step(StepName::Web, "the tests in browser engines", &[])
        .needs(&[Need::WasmTarget, Need::WasmBindgen])
        .needs(&plan.engines.iter().flat_map(|engine| engine.needs()).copied().collect::<Vec<_>>());
    step.commands.push(web::build(&targets));
    step.beside = web::runs(root, &targets, &plan.engines, plan.full);
    if plan.full {
        step.beside.extend(web::keys(root, &plan.engines));
    }
    let mut step = step.each(|cmd| plan.soak.in_browsers(cmd));
    // Tabs and browsers are killed in one engine, where there is not time for all.
    let driven = if plan.full { &plan.engines[..] } else { &plan.engines[..plan.engines.len().min(1)] };
    let drive = web::drive(root, driven);
    let drive = drive.map(|cmd| if plan.full { cmd } else { cmd.env("HAOS_KILLS", KILLS) });
    // First, since it takes the longest.
    step.beside.splice(0..0, drive.map(|cmd| plan.soak.pass_to(cmd)));
    step
}

/// Builds what browsers load as it is shipped, part by part, and what the front door adds; `js` weighs it as its packages
/// have it.
fn size(root: &Path) -> CiStep {
    let about = "what a browser loads: its size within the budget, its halves at work";
    let mut step =
        step(StepName::Size, about, &["test --workspace --all-features --no-run"]).needs(&size::NEEDS);
    step.commands.push(size::program(root, Cmd::new(&beside("haos-weigh"), &["--front"])));
    step
}

/// Builds the packages for browsers and React as they are shipped, and tests them.
fn js(root: &Path, plan: &Plan) -> CiStep {
    let about = "the packages for browsers and React, in node, in browsers and as applications install them";
    let mut step =
        step(StepName::Js, about, &["test --workspace --all-features --no-run"]).needs(&size::NEEDS);
    let engines = if plan.full { &plan.engines[..] } else { &[BrowserEngine::Chromium] };
    step = step.needs(&engines.iter().flat_map(|engine| engine.needs()).copied().collect::<Vec<_>>());
    step.commands.extend(js::build(root, Cmd::new(&beside("haos-pack"), &[])));
    let (commands, beside) = js::test(root, engines, plan.full);
    step.commands.extend(commands);
    step.beside = beside;
    step
}

/// A program of the workspace, which cargo puts beside this one.
fn beside(name: &str) -> String {
    let program = std::env::current_exe().unwrap_or_default();
    program.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)).to_string_lossy().into_owned()
}

/// Checks the published crates, right below the root. With `full` each is also compiled as its package has it.
fn package(root: &Path, full: bool) -> CiStep {
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten();
    let mut names: Vec<_> = folders
        .filter(|folder| folder.path().join("Cargo.toml").is_file())
        .filter_map(|folder| folder.file_name().into_string().ok())
        .filter(|name| name == "haos" || name.starts_with("haos-"))
        .collect();
    names.sort_unstable();
    let mut line = "package --quiet --allow-dirty".to_owned();
    if !full {
        line += " --no-verify";
    }
    names.iter().for_each(|name| line += &format!(" -p {name}"));
    step(StepName::Package, "every crate that is published makes a package", &[&line])
}

/// The demo: with `full` as the README has it, else with the program that the step `test` built.
fn demo(full: bool) -> CiStep {
    let about = "the demo of the README";
    if full {
        return step(StepName::Demo, about, &["run --release -p haos-demo"]);
    }
    let mut step = step(StepName::Demo, about, &["test --workspace --all-features --no-run"]);
    step.commands.push(Cmd::new(&beside("haos-demo"), &[]));
    step
}

/// All small mistakes.
fn mutants() -> CiStep {
    let about = "small mistakes in what decides something are found by the tests";
    step(StepName::Mutants, about, &["xtask mutants --least 95"])
}

/// The test programs of `testing/e2e/` that need a homeserver, those that take longest first.
const WITH_SYNAPSE: [&str; 9] =
    ["storm", "answers", "catch_up", "screens", "encrypted", "demo", "harness", "absence", "media"];
/// That of them whose other side is a client of another project: in full it meets a second one.
const WITH_PEER: &str = "encrypted";
/// What they need: a homeserver whose clock can be moved, and a client of another project in node.
const E2E_NEEDS: [Need; 4] = [Need::Synapse, Need::Faketime, Need::Npm, Need::Packages];
/// How much less they do than by themselves, unless they run in full.
const LESS: [(&str, u32); 3] = [("HAOS_E2E_MESSAGES", 500), ("HAOS_E2E_EACH", 2), ("HAOS_E2E_ACTIONS", 120)];

/// Without `full` with fewer messages, deaths and actions than the tests have by themselves, and with one peer.
fn e2e(root: &Path, full: bool) -> CiStep {
    // With the features of the whole workspace, so that nothing is built again after the step `test`.
    let tests = "test --workspace --all-features";
    let mut step = step(StepName::E2e, "end to end with a real homeserver", &[&format!("{tests} --no-run")]);
    let run = |name: &str| {
        let cmd = Cmd::cargo(&format!("{tests} --test {name} -- --ignored --test-threads=2 --nocapture"));
        cmd.env("HAOS_SYNAPSE", synapse::folder(root).to_string_lossy())
    };
    let run_less =
        |name| LESS.iter().filter(|_| !full).fold(run(name), |cmd, (name, number)| cmd.env(name, number));
    step.beside = WITH_SYNAPSE.map(run_less).into();
    if full {
        step.commands.push(rivals::build(root, rivals::PEER));
        let peer = rivals::program(root, rivals::PEER);
        step.beside.push(run(WITH_PEER).env("HAOS_PEER", peer.to_string_lossy()));
    }
    // The server's clock is moved by means of Linux: elsewhere it runs where somebody has provided for it.
    if cfg!(target_os = "linux") { step.needs(&E2E_NEEDS) } else { step.only_with(&E2E_NEEDS) }
}

/// Those of `steps` that `only` names; all when it names none.
pub(crate) fn select(mut steps: Vec<CiStep>, only: &[StepName]) -> Vec<CiStep> {
    steps.retain(|step| only.is_empty() || only.contains(&step.name));
    steps
}

fn step(name: StepName, about: &'static str, lines: &[&str]) -> CiStep {
    let commands = lines.iter().map(|line| Cmd::cargo(line)).collect();
    CiStep { name, about, needs: Vec::new(), optional: Vec::new(), commands, beside: Vec::new() }
}

impl CiStep {
    fn needs(mut self, needs: &[Need]) -> Self {
        self.needs.extend(needs);
        self
    }

    fn only_with(mut self, needs: &[Need]) -> Self {
        self.optional = needs.to_vec();
        self
    }

    fn each(mut self, change: impl Fn(Cmd) -> Cmd) -> Self {
        self.commands = self.commands.into_iter().map(&change).collect();
        self.beside = self.beside.into_iter().map(&change).collect();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(full: bool, soak: Soak) -> Plan {
        Plan { full, soak, engines: BrowserEngine::ALL.to_vec() }
    }

    fn printed(full: bool, soak: Soak) -> String {
        let root = crate::root::find().unwrap();
        all(&root, &plan(full, soak)).iter().map(|step| format!("{step}\n")).collect()
    }

    fn usual() -> Soak {
        Soak::new(false, None, None, None)
    }

    #[test]
    fn full_soaks_long_and_compiles_the_benches() {
        let text = printed(false, usual());
        assert!(!text.contains("cargo bench"), "{text}");
        assert!(text.contains("HAOS_E2E_MESSAGES"), "{text}");
        let text = printed(true, Soak::new(false, None, Some(3), None));
        assert!(text.contains(" HAOS_KILLS=3 cargo test --workspace --all-features"), "{text}");
        assert!(text.contains("$ cargo bench --workspace --no-run"), "{text}");
        assert!(!text.contains("HAOS_E2E_MESSAGES"), "{text}");
    }

    #[test]
    fn every_program_of_the_end_to_end_tests_runs() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testing/e2e/tests");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let names = names.map(|name| name.into_string().unwrap());
        // The proxy is tested without a homeserver, with everything else; what drives browsers, by `web`.
        let mut names: Vec<_> =
            names.filter(|name| name != "proxy" && !name.starts_with(web::DRIVING)).collect();
        names.sort();
        let mut known = WITH_SYNAPSE;
        known.sort_unstable();
        assert_eq!(names, known);
    }

    #[test]
    fn the_dependencies_are_checked_against_what_is_known() {
        let steps = select(all(Path::new(""), &plan(false, usual())), &[StepName::Deny]);
        assert_eq!(steps[0].optional, [Need::CargoDeny]);
        assert!(steps[0].to_string().ends_with("$ cargo xtask advisories"), "{}", steps[0]);
    }

    #[test]
    fn encrypted_rooms_meet_a_second_peer_in_full() {
        assert!(!printed(false, usual()).contains("HAOS_PEER"));
        let root = crate::root::find().unwrap();
        let step = e2e(&root, true);
        let build = rivals::build(&root, rivals::PEER).to_string();
        assert!(step.commands.iter().any(|cmd| cmd.to_string() == build), "{step}");
        let runs =
            step.beside.iter().map(ToString::to_string).filter(|cmd| cmd.contains(" --test encrypted "));
        let has_peer: Vec<_> = runs.map(|cmd| cmd.contains("HAOS_PEER=")).collect();
        assert_eq!(has_peer, [false, true], "{step}");
    }

    #[test]
    fn the_homeserver_is_found_from_everywhere() {
        let text = printed(false, usual());
        assert!(text.contains("$ HAOS_SYNAPSE=/") || cfg!(windows), "{text}");
    }

    #[test]
    fn the_engines_are_those_that_were_asked_for() {
        let root = crate::root::find().unwrap();
        let plan = Plan { engines: vec![BrowserEngine::Firefox], ..plan(false, usual()) };
        let step = web(&root, &plan);
        assert!(step.needs.contains(&Need::Geckodriver) && !step.needs.contains(&Need::Chromium));
        let text = step.to_string();
        assert!(text.contains("HAOS_BROWSERS=firefox") && !text.contains("CHROMEDRIVER"), "{text}");
    }

    #[test]
    fn only_keeps_the_order_of_the_run() {
        let steps = select(all(Path::new(""), &plan(false, usual())), &[StepName::Doc, StepName::Fmt]);
        assert_eq!(steps.iter().map(|step| step.name).collect::<Vec<_>>(), [StepName::Fmt, StepName::Doc]);
    }
}
