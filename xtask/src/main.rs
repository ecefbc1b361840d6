//! The one door for the chores of this workspace: `cargo xtask --help`.
//!
//! It compiles before anything else does, so it depends on little.

mod advisories;
mod app;
mod apt;
mod baseline;
mod bench;
mod bench_check;
mod bench_web;
mod beside;
mod bundler;
mod cmd;
mod engine;
mod fuzz;
mod js;
mod mutants;
mod native;
mod need;
mod rivals;
mod root;
mod runner;
mod setup;
mod size;
mod skipped;
mod soak;
mod step;
mod synapse;
mod tidy;
mod tools;
mod web;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use bench::BenchArgs;
use engine::BrowserEngine;
use fuzz::FuzzArgs;
use mutants::MutantsArgs;
use soak::Soak;
use step::{Plan, StepName};

/// The result of a chore; the text of an error says what to do about it.
type Result<T = ()> = std::result::Result<T, String>;

/// The chores of the HAOS offline store.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what a fresh machine lacks; does nothing where nothing is missing
    Setup {
        /// Also install cargo-deny, cargo-fuzz and a nightly toolchain, which takes some minutes
        #[arg(long)]
        all: bool,
    },
    /// Everything a change must pass: style, lints, tests, browsers, docs, demo, a real homeserver, licences
    Test(TestArgs),
    /// `setup`, then `test`, without colours and progress bars
    Ci(TestArgs),
    /// The end-to-end tests against a real Synapse, which it installs below target/
    E2e,
    /// The stores beside the floor and the peers; writes docs/benchmarks.md. With `--check`: instructions counted
    Bench(BenchArgs),
    /// How large what a browser loads is, and of what; whether it works in halves. Fails over the budget
    Size {
        /// What the front door adds, too
        #[arg(long)]
        front: bool,
        /// Take the sizes as the budget
        #[arg(long)]
        bless: bool,
    },
    /// Build the packages for browsers and React into js/packages/*/dist; with `--test`, test them
    Js {
        /// Test them, too
        #[arg(long)]
        test: bool,
    },
    /// Build the application for browsers, and serve it for a person to try, with a homeserver that is a model
    Web {
        /// Where it is served
        #[arg(long, default_value_t = 4300)]
        port: u16,
        /// With a real Synapse, which is installed below target/
        #[arg(long)]
        synapse: bool,
    },
    /// Look for inputs that break what the targets of `fuzz/` hold
    Fuzz(FuzzArgs),
    /// Put small mistakes into what decides something, one at a time, and see which the tests find
    Mutants(MutantsArgs),
    /// The known advisories on the dependencies, where the advisory database can be had
    Advisories,
    /// The style checks alone
    Tidy {
        /// Write the hashes of new migrations; a hash that is written stays
        #[arg(long)]
        bless: bool,
    },
}

#[derive(Args)]
struct TestArgs {
    /// Long soaks and compiled benches: as `--scripts 20000 --kills 100 --seeds 100000`
    #[arg(long)]
    full: bool,
    /// Conformance scripts a backend runs (HAOS_SCRIPTS); 250 if not given, 200 in a browser
    #[arg(long, value_name = "N")]
    scripts: Option<u32>,
    /// Processes killed in the crash tests (HAOS_KILLS)
    #[arg(long, value_name = "N")]
    kills: Option<u32>,
    /// Seeds of the outbox's simulation (HAOS_SEEDS)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// Browser engines of the step `web`; if not given, Chromium and WebKit, and with `--full` all three
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engines: Vec<BrowserEngine>,
    /// Only these steps; may be given more than once
    #[arg(long, value_name = "STEP", value_delimiter = ',')]
    only: Vec<StepName>,
    /// Print the steps and their commands, run nothing
    #[arg(long)]
    list: bool,
}

impl TestArgs {
    fn run(self) -> Result {
        let soak = Soak::new(self.full, self.scripts, self.kills, self.seeds);
        let root = root::find()?;
        let engines = match (self.engines.is_empty(), self.full) {
            (true, true) => BrowserEngine::ALL.to_vec(),
            (true, false) => BrowserEngine::USUAL.to_vec(),
            (false, _) => self.engines,
        };
        let plan = Plan { full: self.full, soak, engines };
        let steps = step::select(step::all(&root, &plan), &self.only);
        if self.list {
            steps.iter().for_each(|step| println!("{step}"));
            return Ok(());
        }
        runner::run(&root, &steps)
    }
}

fn e2e() -> Result {
    let root = root::find()?;
    let plan = Plan { full: true, soak: Soak::new(false, None, None, None), engines: Vec::new() };
    let steps = step::all(&root, &plan);
    runner::run(&root, &step::select(steps, &[StepName::E2e]))
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().chore {
        Chore::Setup { all } => setup::run(all),
        Chore::Test(args) => args.run(),
        Chore::Ci(args) => {
            cmd::plain_output();
            setup::run(false).and_then(|()| args.run())
        }
        Chore::E2e => e2e(),
        Chore::Bench(args) => root::find().and_then(|root| args.run(&root)),
        Chore::Size { front, bless } => root::find().and_then(|root| size::run(&root, front, bless)),
        Chore::Js { test } => root::find().and_then(|root| js::run(&root, test)),
        Chore::Web { port, synapse } => root::find().and_then(|root| app::run(&root, port, synapse)),
        Chore::Fuzz(args) => root::find().and_then(|root| args.run(&root)),
        Chore::Mutants(args) => root::find().and_then(|root| args.run(&root)),
        Chore::Advisories => root::find().and_then(|root| advisories::run(&root)),
        Chore::Tidy { bless } => root::find().and_then(|root| tidy::run(&root, bless)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}
