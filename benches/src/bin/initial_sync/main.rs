//! The initial sync of a whole account, and a start from the store it left, beside matrix-js-sdk in the
//! same run.
//!
//! ```sh
//! cargo run --release -p haos-benches --bin initial_sync                    # five passes
//! cargo run --release -p haos-benches --bin initial_sync -- --passes 9
//! cargo run --release -p haos-benches --bin initial_sync -- --without-peer  # without node
//! ```
//!
//! It needs node 20 or later and npm. The peer's packages are those of `benches/peer/package-lock.json`; npm
//! installs them to `target/peer` in the first run, without scripts, so nothing is built or downloaded
//! besides.
//!
//! # What is measured
//!
//! A server on the loopback, in this process, answers `/sync` with a capture of Synapse, not compressed: the
//! whole account, 40 rooms with 20,399 events in 7.2 MB, and then the same account with the newest 20 events
//! of each room, 800, as clients like to begin. Contenders take turns, each measurement is a process of its
//! own, and medians are told; the ratio is haos by the peer.
//!
//! - *initial sync, s*: from before the store is opened until the whole answer is in it. For the peer that is
//!   `IndexedDBStore.startup`, `startClient`, the state `PREPARED`, `store.save(true)`; *usable after* is its
//!   time to `PREPARED`. For haos it is open, a `Client` resumed from its stored session and
//!   run until its connection is `Live`: filter, request, parse, and one commit.
//! - *events/s*: the events that came, by that time. Both keep all of them in their stores: that is counted,
//!   after the clock, and asserted.
//! - *peak RSS*: `VmHWM` at the end of the clock, in MiB; *before* is what was resident when the clock began,
//!   runtime and modules.
//! - *start to first page, ms*: a fresh process, its modules loaded; from before the store is opened until the
//!   20 rooms of latest activity and the newest 50 events of the first, or all it has, are at hand. The peer
//!   has them when it is `PREPARED` from its store: it builds all rooms before it shows one.
//!
//! # What is unfair, and to whom
//!
//! - To haos: the peer's database is fake-indexeddb, in memory. It writes no disk where haos commits to a
//!   SQLite file. For the start it is filled from a file before the clock runs, so reading that is free as
//!   well, and is in *before* and the peak of the start. (indexeddbshim, on disk, needs a C++ compiler; in
//!   one try it took the peer two to three times as long.)
//! - To the peer: it also builds rooms, receipts and push counts in memory for all events, which haos leaves
//!   to whoever reads. It asks for versions before it starts, even from its store. Its code is compiled while
//!   it runs, and a browser's IndexedDB and heap are not node's.
//! - To the peer: its store holds 20,399 events only because they came in one sync. It cuts a room to about 50
//!   where a sync's token allows that, so a start after days of use is nearer to the second table.
//! - To nobody: no encryption on either side, no compression, no latency. Off Linux the memory of haos reads 0.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may panic")]

mod child;
mod ours;
mod peer;

use std::path::Path;
use std::process::ExitCode;

use haos_benches::account::{Server, capture};
use haos_benches::median;

use child::{Started, Synced};
use peer::Peer;

const MIB: f64 = 1024.0 * 1024.0;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (mut passes, mut with_peer) = (5, true);
    let mut rest = words.as_slice();
    loop {
        rest = match rest {
            [] => break,
            ["--child", what, server, path] => {
                ours::child(what, server, Path::new(path));
                return ExitCode::SUCCESS;
            }
            ["--passes", n, rest @ ..] if n.parse().is_ok_and(|n: usize| n > 0) => {
                passes = n.parse().unwrap();
                rest
            }
            ["--without-peer", rest @ ..] => {
                with_peer = false;
                rest
            }
            _ => {
                eprintln!("usage: initial_sync [--passes N] [--without-peer]");
                return ExitCode::from(2);
            }
        };
    }
    let program = std::env::current_exe().unwrap();
    // Beside `release`, so that it goes with `cargo clean`.
    let folder = program.ancestors().nth(2).unwrap().join("peer");
    let peer = match with_peer.then(|| Peer::prepare(folder)).transpose() {
        Ok(peer) => peer,
        Err(code) => return code,
    };
    println!("initial sync and start, {passes} passes in turns, medians");
    println!("{}", peer.as_ref().map_or("without the peer", |peer| peer.version.as_str()));
    SCENARIOS.iter().for_each(|scenario| measure(scenario, passes, peer.as_ref()));
    ExitCode::SUCCESS
}

/// A capture, and what is in it.
struct Scenario {
    title: &'static str,
    capture: &'static str,
    events: u64,
    /// Events of the newest room's first page.
    page: u64,
}

const SCENARIOS: [Scenario; 2] = [
    Scenario {
        title: "the whole account: 20,399 events in 40 rooms",
        capture: "initial_sync_unlimited.json.zst",
        events: 20_399,
        page: 50,
    },
    Scenario {
        title: "20 events a room: 800 events in 40 rooms",
        capture: "initial_sync_limit20.json.zst",
        events: 800,
        page: 20,
    },
];

/// The figures of one contender in all passes.
struct Column {
    name: &'static str,
    syncs: Vec<Synced>,
    starts: Vec<Started>,
}

fn measure(scenario: &Scenario, passes: usize, peer: Option<&Peer>) {
    let server = Server::start(&capture(scenario.capture)).unwrap();
    let column = |name| Column { name, syncs: Vec::new(), starts: Vec::new() };
    let (mut theirs, mut ours) = (column("js-sdk"), column("haos"));
    for _ in 0..passes {
        let folder = tempfile::tempdir().unwrap();
        if let Some(peer) = peer {
            let database = folder.path().join("peer.db");
            theirs.syncs.push(peer.sync(&server, &database));
            theirs.starts.push(peer.start(&server, &database));
        }
        let database = folder.path().join("haos.db");
        ours.syncs.push(ours::sync(&server, &database));
        ours.starts.push(ours::start(&server, &database));
    }
    // Else it is not the same that was measured.
    for sync in theirs.syncs.iter().chain(&ours.syncs) {
        assert_eq!((sync.events, sync.stored), (scenario.events, scenario.events));
    }
    for start in theirs.starts.iter().chain(&ours.starts) {
        let expected = (&ours.starts[0].room, 20, scenario.page);
        assert_eq!((&start.room, start.rooms, start.messages), expected);
    }
    println!("\n{}", scenario.title);
    table(&[theirs, ours].into_iter().filter(|column| !column.syncs.is_empty()).collect::<Vec<_>>());
    let unknown = server.unknown();
    if !unknown.is_empty() {
        println!("asked for, and not there: {}", unknown.join(", "));
    }
}

/// A line a figure, a column a contender; then the second by the first.
fn table(columns: &[Column]) {
    print!("{:<26}", "");
    columns.iter().for_each(|column| print!("{:>14}", column.name));
    println!("{}", if columns.len() > 1 { "   ratio" } else { "" });
    let sync = |name, figure: fn(&Synced) -> f64| {
        row(name, columns.iter().map(|column| middle(column.syncs.iter().map(figure))));
    };
    let start = |name, figure: fn(&Started) -> f64| {
        row(name, columns.iter().map(|column| middle(column.starts.iter().map(figure))));
    };
    sync("initial sync, s", |sync| sync.seconds);
    sync("  usable after, s", |sync| sync.usable_seconds);
    sync("  events/s", |sync| sync.events as f64 / sync.seconds);
    sync("  peak RSS, MiB", |sync| sync.peak_bytes as f64 / MIB);
    sync("  before, MiB", |sync| sync.before_bytes as f64 / MIB);
    start("start to first page, ms", |start| start.seconds * 1e3);
    start("  peak RSS, MiB", |start| start.peak_bytes as f64 / MIB);
    start("  before, MiB", |start| start.before_bytes as f64 / MIB);
}

fn row(name: &str, figures: impl Iterator<Item = f64>) {
    let figures: Vec<_> = figures.collect();
    print!("{name:<26}");
    for figure in &figures {
        let digits = if *figure < 10.0 { 3 } else { usize::from(*figure < 1000.0) };
        print!("{figure:>14.digits$}");
    }
    if let [theirs, ours] = figures[..] {
        print!("{:>8.3}", ours / theirs);
    }
    println!();
}

fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    median(&mut figures.collect::<Vec<_>>())
}
