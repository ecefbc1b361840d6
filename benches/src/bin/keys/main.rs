//! The keys of encrypted rooms beside matrix-sdk-sqlite: a page that is decrypted.
//!
//! ```sh
//! cargo xtask bench keys           # compiles the peer, which takes minutes, then runs this
//! cargo run --release -p haos-benches --features keys --bin keys -- --peer target/rivals/release/haos-rivals-keys
//! ```
//!
//! What is measured, and what is unfair to whom, is in `docs/benchmarks-keys.md`, which `--write` writes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod ours;
mod report;
mod who;

use std::path::{Path, PathBuf};

use clap::Parser;
use haos_benches::measure::size;
use haos_contest::keys::{Kept, Page, Paged};
use haos_contest::{Data, Lock};
use who::Who;

/// Messages under one key.
const TURN: usize = 10;
/// Events of a page.
const PAGE: usize = 50;
/// Room keys that a store has when the page is read.
const KEYS: usize = 10_000;

/// The selection of measurements.
#[derive(Parser)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
struct Args {
    /// The program of benches/rivals/keys
    #[arg(long, value_name = "PROGRAM", required = true)]
    peer: Option<PathBuf>,
    /// Processes of each, by store
    #[arg(long, value_name = "N", default_value_t = 15)]
    passes: usize,
    /// Write docs/benchmarks-keys.md
    #[arg(long)]
    write: bool,
    #[command(subcommand)]
    child: Option<ours::Child>,
}

/// What was seen of a pair of stores: ours, and the other's.
pub(crate) struct Seen {
    pub(crate) lock: Lock,
    pub(crate) pages: [Vec<Paged>; 2],
    /// Sizes of the stores, in bytes.
    pub(crate) sizes: [u64; 2],
}

fn main() {
    let args = Args::parse();
    if let Some(child) = args.child {
        return child.run();
    }
    let peer = args.peer.unwrap();
    let load = report::load();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.json");
    let data = Data::load(1);
    let contents: Vec<_> = (0..PAGE).map(|n| data.message_at(n, 0, n as u64).content).collect();
    std::fs::write(&file, serde_json::to_vec(&Page::seal(&contents, TURN)).unwrap()).unwrap();
    let seen = Lock::ALL.map(|lock| {
        let pair = [None, Some(&*peer)].map(|peer| Who::new(lock, peer, folder.path()));
        measure(lock, &pair, &file, args.passes)
    });
    let text = report::markdown(&seen, args.passes, [load, report::load()]);
    println!("{text}");
    if args.write {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks-keys.md");
        std::fs::write(file, text).unwrap();
    }
}

/// Fills both stores and then reads pages of them, in turns, each time in a process of its own.
fn measure(lock: Lock, pair: &[Who; 2], file: &Path, passes: usize) -> Seen {
    for who in pair {
        assert_eq!(who.fill(file, KEYS), Kept { keys: KEYS });
        // The first does not count.
        who.page(file);
    }
    let mut pages = <[Vec<Paged>; 2]>::default();
    for pass in 0..passes {
        let turn = if pass.is_multiple_of(2) { [0, 1] } else { [1, 0] };
        for nth in turn {
            pages[nth].push(pair[nth].page(file));
        }
    }
    eprintln!("{}", lock.name());
    Seen { lock, pages, sizes: [0, 1].map(|nth: usize| size(&pair[nth].folder)) }
}
