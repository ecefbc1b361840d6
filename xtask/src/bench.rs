use std::path::Path;

use crate::bench_web::WebArgs;
use crate::cmd::Cmd;
use crate::{Result, bench_check, rivals};

/// Arguments of `cargo xtask bench`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct BenchArgs {
    /// A fifth of the messages and fewer passes; writes nothing
    #[arg(long)]
    quick: bool,
    /// Also matrix-sdk-sqlite, which takes some minutes to compile
    #[arg(long)]
    peers: bool,
    /// Also growth up to 10^6 messages, in a hundred rooms and in one
    #[arg(long)]
    scale: bool,
    /// Growth up to 10^7 messages, which takes ten gigabytes and half an hour
    #[arg(long, requires = "scale")]
    huge: bool,
    /// Only these of floor, rowid, raw-sled, redb, memory, sqlite, sqlite-sealed, sled, sled-sealed, sdk, sdk-key;
    /// writes nothing
    #[arg(long, value_name = "LIST")]
    contenders: Option<String>,
    /// Count the instructions of hot paths and compare them with benches/instructions.txt; measures no time
    #[arg(long, conflicts_with_all = ["quick", "peers", "scale", "contenders"])]
    check: bool,
    /// Write what is counted to benches/instructions.txt
    #[arg(long, requires = "check")]
    bless: bool,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(clap::Subcommand)]
enum Other {
    /// The store beside raw IndexedDB and Dexie, in browser engines
    Web(WebArgs),
    /// From a cold process to rooms and a timeline, beside matrix-sdk-ui, which takes minutes to compile
    FirstScreen(ScreenArgs),
}

/// Arguments of `cargo xtask bench first-screen`.
#[derive(clap::Args)]
struct ScreenArgs {
    /// Processes of each, by store and kind of start
    #[arg(long, value_name = "N", default_value_t = 21)]
    passes: u32,
    /// Write docs/benchmarks-front.md
    #[arg(long)]
    write: bool,
}

impl BenchArgs {
    pub(crate) fn run(self, root: &Path) -> Result {
        match self.other {
            Some(Other::Web(args)) => return args.run(root),
            Some(Other::FirstScreen(args)) => return args.run(root),
            None => {}
        }
        if self.check {
            return bench_check::run(root, self.bless);
        }
        run(root, &["build", "--release", "-p", "haos-benches", "--bin", "contend", "--bin", "compare"])?;
        let program = if self.peers { build_rival(root, "haos-rivals")? } else { String::new() };
        let mut args = vec!["run", "--release", "-p", "haos-benches", "--bin", "compare", "--"];
        args.extend(self.quick.then_some("--quick"));
        args.extend(self.scale.then_some("--scale"));
        args.extend(self.huge.then_some("--huge"));
        if self.peers {
            args.extend(["--peers", &program]);
        }
        match &self.contenders {
            Some(list) => args.extend(["--contenders", list]),
            None => args.extend((!self.quick).then_some("--write")),
        }
        run(root, &args)
    }
}

impl ScreenArgs {
    fn run(self, root: &Path) -> Result {
        let peer = build_rival(root, "haos-rivals-front")?;
        let passes = self.passes.to_string();
        let mut args = vec!["run", "--release", "-p", "haos-benches", "--bin", "first_screen", "--"];
        args.extend(["--peer", &peer, "--passes", &passes]);
        args.extend(self.write.then_some("--write"));
        run(root, &args)
    }
}

/// Builds a package of the peers; the path of its program.
fn build_rival(root: &Path, package: &str) -> Result<String> {
    obey(root, &rivals::build(root, package))?;
    Ok(rivals::program(root, package).display().to_string())
}

fn run(root: &Path, args: &[&str]) -> Result {
    obey(root, &Cmd::new("cargo", args))
}

fn obey(root: &Path, cmd: &Cmd) -> Result {
    println!("$ {cmd}");
    if cmd.run(root) { Ok(()) } else { Err(format!("`{cmd}` failed: what it said is above")) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        bench: BenchArgs,
    }

    #[test]
    fn a_check_measures_nothing_else() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.bench.bless).ok();
        assert_eq!(parse("bench --check"), Some(false));
        assert_eq!(parse("bench --check --bless"), Some(true));
        assert_eq!(parse("bench --bless"), None, "there is nothing to write");
        for other in
            ["--quick", "--peers", "--scale", "--scale --huge", "--contenders sled", "web", "first-screen"]
        {
            assert_eq!(parse(&format!("bench --check {other}")), None, "{other}");
        }
    }
}
