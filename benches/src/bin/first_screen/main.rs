//! From a cold process to the first screen of a whole account, out of the store and without a network, beside
//! matrix-sdk-ui.
//!
//! ```sh
//! cargo xtask bench first-screen           # compiles matrix-sdk-ui, which takes minutes, then runs this
//! cargo run --release -p haos-benches --bin first_screen -- --peer target/rivals/release/haos-rivals-front
//! ```
//!
//! What is measured, and what is unfair to whom, is in `docs/benchmarks-front.md`, which `--write` writes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod ours;
mod report;

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use haos_benches::account::{Server, TOKEN, USER, capture, run};
use haos_benches::measure::size;
use haos_contest::{Filled, Lock, Screen, forget};
use serde::Deserialize;

/// Items of the first screen.
pub(crate) const ITEMS: usize = 50;
/// What the captures hold.
pub(crate) const ACCOUNT: Filled = Filled { events: 20_399, rooms: 40 };

/// The selection of measurements.
#[derive(Parser)]
#[command(subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
struct Args {
    /// The program of benches/rivals/front
    #[arg(long, value_name = "PROGRAM", required = true)]
    peer: Option<PathBuf>,
    /// Processes of each, by store and kind of start
    #[arg(long, value_name = "N", default_value_t = 21)]
    passes: usize,
    /// Write docs/benchmarks-front.md
    #[arg(long)]
    write: bool,
    #[command(subcommand)]
    child: Option<ours::Child>,
}

/// What was seen of one pair of stores.
pub(crate) struct Seen {
    pub(crate) lock: Lock,
    /// Whether the stores' files were dropped from the page cache before each process.
    pub(crate) is_cold: bool,
    pub(crate) ours: Vec<Screen>,
    pub(crate) theirs: Vec<Screen>,
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
    let server =
        Server::with_older(&capture("initial_sync_limit20.json.zst"), &capture("messages_pages.jsonl.zst"));
    let server = server.unwrap();
    let room = largest_room();
    let seen: Vec<_> =
        Lock::ALL.iter().flat_map(|lock| measure(*lock, &peer, &server, &room, args.passes)).collect();
    let unknown = server.unknown();
    if !unknown.is_empty() {
        eprintln!("asked for, and not there: {}", unknown.join(", "));
    }
    let text = report::markdown(&seen, args.passes, [load, report::load()]);
    println!("{text}");
    if args.write {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks-front.md");
        std::fs::write(file, text).unwrap();
    }
}

/// Fills both stores, then shows them in turns, each time in a process of its own.
fn measure(lock: Lock, peer: &Path, server: &Server, room: &str, passes: usize) -> [Seen; 2] {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (ours, theirs) = (ours.path(), theirs.path());
    let peer = |call: &str| {
        let mut command = Command::new(peer);
        command.args([call, lock.name()]).arg(theirs);
        command
    };
    assert_eq!(ours::fill(lock, ours, &server.url()), ACCOUNT);
    assert_eq!(run::<Filled>(peer("fill").args([&server.url(), USER, TOKEN])), ACCOUNT);
    let show_ours = || ours::show(lock, ours, room, ITEMS);
    let show_theirs = || run::<Screen>(peer("show").args([USER, room]).arg(ITEMS.to_string()));
    same(&show_ours(), &show_theirs());
    [false, true].map(|is_cold| {
        let sizes = [size(ours), size(theirs)];
        let mut seen = Seen { lock, is_cold, ours: Vec::new(), theirs: Vec::new(), sizes };
        for pass in 0..passes {
            for turn in 0..2 {
                let is_ours = (pass + turn) % 2 == 0;
                let (folder, list) =
                    if is_ours { (ours, &mut seen.ours) } else { (theirs, &mut seen.theirs) };
                assert!(!is_cold || forget(folder), "the files cannot be dropped from the page cache");
                list.push(if is_ours { show_ours() } else { show_theirs() });
            }
            same(&seen.ours[pass], &seen.theirs[pass]);
        }
        eprintln!("{}, {}", lock.name(), if is_cold { "cold files" } else { "warm files" });
        seen
    })
}

/// Whoever shows less is faster for nothing.
fn same(ours: &Screen, theirs: &Screen) {
    let rooms = |screen: &Screen| {
        let mut rooms = screen.rooms.clone();
        rooms.sort();
        rooms
    };
    assert_eq!(rooms(ours), rooms(theirs), "the rooms, their names and who wrote last");
    assert_eq!(ours.rooms.len(), ACCOUNT.rooms);
    assert_eq!(ours.events.len(), ITEMS);
    let more = theirs.events.len().saturating_sub(ITEMS);
    assert_eq!(ours.events, theirs.events[more..], "the newest events");
    assert_eq!((ours.named, theirs.named), (ours.events.len(), theirs.events.len()), "senders have names");
}

/// The room with the most events.
fn largest_room() -> String {
    #[derive(Deserialize)]
    struct Sync {
        rooms: Rooms,
    }
    #[derive(Deserialize)]
    struct Rooms {
        join: std::collections::BTreeMap<String, Joined>,
    }
    #[derive(Deserialize)]
    struct Joined {
        timeline: Timeline,
    }
    #[derive(Deserialize)]
    struct Timeline {
        events: Vec<serde::de::IgnoredAny>,
    }
    let sync = std::fs::File::open(capture("initial_sync_unlimited.json.zst")).unwrap();
    let sync: Sync = serde_json::from_slice(&zstd::decode_all(sync).unwrap()).unwrap();
    let rooms = sync.rooms.join.into_iter();
    rooms.max_by_key(|(_, joined)| joined.timeline.events.len()).unwrap().0
}
