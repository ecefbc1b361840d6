//! The stores beside the floor and beside what a user would pick instead, each in a process of its own, in turns.
//!
//! ```sh
//! cargo xtask bench                    # ours and the floors
//! cargo xtask bench --peers            # and matrix-sdk-sqlite
//! cargo xtask bench --scale            # and growth up to a million messages; `--huge`: ten millions
//! ```
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod features;
mod goals;
mod growth;
mod operations;
mod plot;
mod report;
mod rival;
mod turns;

use std::path::PathBuf;

use clap::Parser;
use haos_benches::CONTENDERS;

/// The contenders of `benches/rivals`.
const PEERS: [&str; 2] = ["sdk", "sdk-key"];

/// The selection of measurements.
#[derive(Parser)]
pub(crate) struct Args {
    /// A fifth of the messages, fewer passes
    #[arg(long)]
    quick: bool,
    /// Also matrix-sdk-sqlite, plain and with a key: the program of benches/rivals
    #[arg(long, value_name = "PROGRAM")]
    peers: Option<PathBuf>,
    /// Only these
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    contenders: Vec<String>,
    /// Also how cost grows up to 10^6 messages
    #[arg(long)]
    scale: bool,
    /// Growth up to 10^7 messages, which takes ten gigabytes and half an hour
    #[arg(long, requires = "scale")]
    huge: bool,
    /// Write docs/benchmarks.md and its plots
    #[arg(long)]
    write: bool,
}

/// A contender, and its program.
type Contender = (&'static str, PathBuf);

impl Args {
    fn contenders(&self) -> Vec<Contender> {
        let ours = std::env::current_exe().unwrap().with_file_name("contend");
        let ours = CONTENDERS.map(|name| (name, ours.clone()));
        let peers = self.peers.iter().flat_map(|program| PEERS.map(|name| (name, program.clone())));
        let wanted =
            |name: &str| self.contenders.is_empty() || self.contenders.iter().any(|wanted| wanted == name);
        ours.into_iter().chain(peers).filter(|(name, _)| wanted(name)).collect()
    }

    /// As `cargo xtask bench` was called.
    fn command(&self) -> String {
        let mut command = "cargo xtask bench".to_owned();
        let words = [
            (self.quick, " --quick"),
            (self.peers.is_some(), " --peers"),
            (self.scale, " --scale"),
            (self.huge, " --huge"),
        ];
        words.iter().filter(|(given, _)| *given).for_each(|(_, word)| command.push_str(word));
        command
    }
}

fn main() {
    let args = Args::parse();
    let contenders = args.contenders();
    let shown = turns::measure(&contenders, &turns::Scale::of(args.quick));
    let features = features::measure(&shown);
    let docs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let tell = |growth: &[growth::Grown]| {
        let text = report::markdown(&args, &shown, &features, growth);
        println!("{text}");
        if args.write {
            std::fs::write(docs.join("benchmarks.md"), text).unwrap();
        }
    };
    tell(&[]);
    if args.scale {
        // It takes long: what is there already is told.
        let growth = growth::measure(&contenders, args.huge);
        tell(&growth);
        if args.write {
            plot::write(&growth, &docs.join("benchmarks"));
        }
    }
}
