use std::path::Path;

use crate::Result;
use crate::cmd::Cmd;
use crate::engine::BrowserEngine;
use crate::need::Need;
use crate::size;

/// Arguments of `cargo xtask bench web`.
#[derive(clap::Args)]
pub(crate) struct WebArgs {
    /// Only these engines
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    engines: Vec<BrowserEngine>,
    /// Only these of haos, haos_sealed, raw, raw_log, opfs, dexie, dexie_rooms, dexie_seed
    #[arg(long, value_name = "LIST")]
    contenders: Option<String>,
    /// Rounds that count, after one that does not
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: u32,
    /// Also pages, gets and commits at 10,000 and 500,000 messages, and memory: minutes an engine
    #[arg(long)]
    scale: bool,
    /// Write docs/benchmarks-web.md
    #[arg(long)]
    write: bool,
}

impl WebArgs {
    /// Installs what is missing, then has the program of `benches` build, drive and report.
    pub(crate) fn run(self, root: &Path) -> Result {
        let engines = if self.engines.is_empty() { BrowserEngine::ALL.to_vec() } else { self.engines };
        let mut needs = vec![Need::WasmTarget, Need::WasmBindgen, Need::Npm, Need::Bundler];
        needs.extend(engines.iter().flat_map(|engine| engine.needs()));
        Need::meet_all(needs)?;
        let names: Vec<_> = engines.iter().map(ToString::to_string).collect();
        let (names, rounds) = (names.join(","), self.rounds.to_string());
        let mut args = vec!["run", "-p", "haos-benches", "--bin", "web", "--"];
        args.extend(["--engines", &names, "--rounds", &rounds]);
        if let Some(contenders) = &self.contenders {
            args.extend(["--contenders", contenders]);
        }
        args.extend(self.scale.then_some("--scale"));
        args.extend(self.write.then_some("--write"));
        let run = size::with_bundler(Cmd::new("cargo", &args), root);
        let run = engines.into_iter().fold(run, |run, engine| {
            let (variable, driver) = engine.driver(root);
            run.env(variable, driver)
        });
        println!("$ {run}");
        if run.run(root) { Ok(()) } else { Err("the bench failed: what it said is above".into()) }
    }
}
