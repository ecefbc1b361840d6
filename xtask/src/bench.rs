use std::path::Path;

use crate::Result;
use crate::bench_web::WebArgs;
use crate::cmd::Cmd;

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
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(clap::Subcommand)]
enum Other {
    /// The store beside raw IndexedDB and Dexie, in browser engines
    Web(WebArgs),
}

/// The package of the peers: a workspace of its own.
const RIVALS: &str = "benches/rivals/Cargo.toml";

impl BenchArgs {
    pub(crate) fn run(self, root: &Path) -> Result {
        if let Some(Other::Web(args)) = self.other {
            return args.run(root);
        }
        run(root, &["build", "--release", "-p", "haos-benches", "--bin", "contend", "--bin", "compare"])?;
        let rivals = root.join("target/rivals");
        if self.peers {
            let target = rivals.display().to_string();
            run(root, &["build", "--release", "--manifest-path", RIVALS, "--target-dir", &target])?;
        }
        let program = rivals.join("release/haos-rivals").display().to_string();
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

fn run(root: &Path, args: &[&str]) -> Result {
    let cmd = Cmd::new("cargo", args);
    println!("$ {cmd}");
    if cmd.run(root) { Ok(()) } else { Err(format!("`{cmd}` failed: what it said is above")) }
}
