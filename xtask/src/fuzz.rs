use std::fmt;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};

use crate::Result;
use crate::cmd::Cmd;
use crate::need::Need;

/// The folder of the fuzzers' own workspace.
const FOLDER: &str = "fuzz";
/// The needs of fuzzing.
pub(crate) const NEEDS: [Need; 2] = [Need::Nightly, Need::CargoFuzz];
const SMOKE_SECONDS: u32 = 5;

#[derive(Args)]
pub(crate) struct FuzzArgs {
    /// How long each target runs
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// 5 seconds a target, compiled faster and running slower; does nothing where a need is missing
    #[arg(long, conflicts_with_all = ["seconds", "address"])]
    smoke: bool,
    /// With AddressSanitizer
    #[arg(long)]
    address: bool,
    /// Make the committed corpora again and run nothing
    #[arg(long, conflicts_with_all = ["seconds", "smoke", "address", "targets"])]
    seeds: bool,
    /// Only these targets
    targets: Vec<Target>,
}

/// A program of `fuzz/fuzz_targets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    Answers,
    Archive,
    Cursor,
    DecodeRow,
    HostileStore,
    KeyOrder,
    OpenSealed,
    Script,
    SyncJson,
}

impl Target {
    /// The longest input in bytes; the longest script takes three thousand.
    fn max_len(self) -> u32 {
        match self {
            Self::Cursor | Self::OpenSealed => 512,
            Self::HostileStore => 37,
            Self::KeyOrder => 163,
            Self::Archive | Self::DecodeRow | Self::Script => 4 << 10,
            Self::Answers | Self::SyncJson => 16 << 10,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

impl FuzzArgs {
    pub(crate) fn run(&self, root: &Path) -> Result {
        let folder = root.join(FOLDER);
        if self.seeds {
            let seeds = Cmd::cargo("run --quiet --example seeds");
            return if seeds.run(&folder) { Ok(()) } else { Err(format!("failed, in {FOLDER}/: {seeds}")) };
        }
        if self.smoke
            && let Some(need) = NEEDS.into_iter().find(|need| !need.is_met())
        {
            println!("fuzz: skipped: {} is missing; to have it: {}", need.name(), need.remedy());
            return Ok(());
        }
        NEEDS.into_iter().try_for_each(Need::meet)?;
        let build = self.cargo_fuzz("build", &[]);
        println!("$ {build}");
        if !build.run(&folder) {
            return Err(format!(
                "the fuzz targets do not compile; repeat it, in {FOLDER}/, with\n\n    {build}\n"
            ));
        }
        let targets = if self.targets.is_empty() { Target::value_variants() } else { &self.targets };
        let mut findings = String::new();
        for target in targets {
            if let Some(finding) = self.fuzz(&folder, *target)? {
                findings.push_str(&finding);
            }
        }
        if findings.is_empty() {
            Ok(())
        } else {
            Err(format!("findings, to be repeated in {FOLDER}/:\n\n{findings}"))
        }
    }

    /// `cargo fuzz` with what decides how the targets are compiled.
    fn cargo_fuzz(&self, verb: &'static str, more: &[&str]) -> Cmd {
        let sanitizer = if self.address { "address" } else { "none" };
        let mut args = vec!["run", "nightly", "cargo", "fuzz", verb, "--sanitizer", sanitizer];
        if self.smoke {
            args.push("--dev");
        }
        Cmd::new("rustup", &[&args, more].concat())
    }

    /// Runs one target, prints what came of it, and gives the lines that repeat a finding.
    fn fuzz(&self, folder: &Path, target: Target) -> Result<Option<String>> {
        let name = target.to_string();
        // New inputs go to the first corpus; the committed one is only read.
        let (found, seeds) = (format!("target/corpus/{name}"), format!("corpus/{name}"));
        let log = folder.join(format!("target/corpus/{name}.log"));
        fs::create_dir_all(folder.join(&found)).map_err(|e| format!("cannot make {found}: {e}"))?;
        let seconds = if self.smoke { SMOKE_SECONDS } else { self.seconds };
        let limits = [
            format!("-max_total_time={seconds}"),
            format!("-max_len={}", target.max_len()),
            "-rss_limit_mb=1024".to_owned(),
            "-timeout=20".to_owned(),
            "-print_final_stats=1".to_owned(),
        ];
        let mut args = vec![name.as_str(), &found, &seeds, "--"];
        args.extend(limits.iter().map(String::as_str));
        let passed = logged(&self.cargo_fuzz("run", &args), folder, &log)?;
        // A panic's message may quote bytes of the input.
        let bytes = fs::read(&log).map_err(|e| format!("cannot read {}: {e}", log.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        println!("{name:13} {}", summary(&text, passed));
        Ok((!passed).then(|| match artifact(&text) {
            Some(artifact) => format!("    {}\n", self.cargo_fuzz("run", &[&name, artifact])),
            None => format!("    {name} failed without an input: see {}\n", log.display()),
        }))
    }
}

/// Runs `cmd` in `dir` with all its output in a file; whether it succeeded.
fn logged(cmd: &Cmd, dir: &Path, log: &Path) -> Result<bool> {
    let failed = |e: std::io::Error| format!("{cmd}: {e}");
    let file = File::create(log).map_err(failed)?;
    let errors = file.try_clone().map_err(failed)?;
    let mut command: Command = cmd.command();
    command.stdin(Stdio::null()).stdout(file).stderr(errors).current_dir(dir);
    Ok(command.status().map_err(failed)?.success())
}

/// The last words of libFuzzer, in one line.
fn summary(log: &str, passed: bool) -> String {
    let stat = |name| {
        log.lines().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)).map_or("?", str::trim)
    };
    format!(
        "{} executions, {}/s, {} new inputs, {} MiB at most: {}",
        stat("number_of_executed_units:"),
        stat("average_exec_per_sec:"),
        stat("new_units_added:"),
        stat("peak_rss_mb:"),
        if passed { "no finding" } else { "FINDING" },
    )
}

/// The input that libFuzzer says it wrote.
fn artifact(log: &str) -> Option<&str> {
    log.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "#2 INITED\nartifact_prefix='a/'; Test unit written to a/crash-1\n\
                       stat::number_of_executed_units: 12\nstat::average_exec_per_sec:     3\n";

    #[test]
    fn a_run_is_one_line() {
        assert_eq!(summary(LOG, false), "12 executions, 3/s, ? new inputs, ? MiB at most: FINDING");
        assert!(summary("", true).ends_with("no finding"));
        assert_eq!(artifact(LOG), Some("a/crash-1"));
        assert_eq!(artifact("stat::x: 1"), None);
    }

    #[test]
    fn every_target_has_its_program_and_its_seeds() {
        let folder = crate::root::find().unwrap().join(FOLDER);
        for target in Target::value_variants() {
            assert!(folder.join(format!("fuzz_targets/{target}.rs")).is_file(), "{target}");
            assert!(folder.join(format!("corpus/{target}")).is_dir(), "{target}");
        }
        let programs = fs::read_dir(folder.join("fuzz_targets")).unwrap().count();
        assert_eq!(programs, Target::value_variants().len());
    }
}
