//! Each answer of a corpus, changed by chance, through a running client: nothing panics, no answer takes more
//! memory than it may, and the next good answer is applied. A fiftieth of `HAOS_SEEDS` runs: each has a client of its
//! own. `HAOS_SEED` runs one.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, reason = "a test says so by panicking")]

mod corpus;
mod life;
mod mutate;
#[path = "../http/support/server.rs"]
mod server;
mod tree;

use std::alloc::System;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use haos_matrix::{Account, AnswerLimits, KeepLimits, MatrixProtocol, ParseError, parse_sync};
use haos_queue::apply_sync;
use haos_sim::Chance;
use haos_store_api::MemoryStore;
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAlloc, PeakMemAllocTrait as _};

#[global_allocator]
static MEMORY: &PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The memory for one answer, with the server's part of it, in bytes.
const MOST: usize = 64 << 20;
/// As many as the simulation of the outbox has, of which each takes a fiftieth of the time.
const SEEDS: u64 = 2000;
const SHARE: u64 = 50;
/// The memory for an entry until it is stored, in bytes, however few it came in.
const MOST_OF_AN_ENTRY: usize = 4096;

/// Memory is measured by one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn an_odd_answer_harms_nobody() {
    static PANICS: AtomicUsize = AtomicUsize::new(0);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        PANICS.fetch_add(1, Ordering::SeqCst);
        usual(info);
    }));
    let samples = corpus::samples();
    let seeds = match number("HAOS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("HAOS_SEEDS").unwrap_or(SEEDS).div_ceil(SHARE),
    };
    assert!(!seeds.is_empty(), "HAOS_SEEDS is 0: nothing would be tried");
    let mut largest = (0, 0);
    for seed in seeds {
        let chance = &mut Chance::new(seed);
        let sample = chance.pick(&samples).unwrap();
        let body = mutate::mutated(chance, &sample.body);
        let status =
            if chance.percent(90) { sample.status } else { [200, 429, 500, 403][chance.below(4) as usize] };
        let size = body.len();
        MEMORY.reset_peak_memory();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let survived = runtime.block_on(life::survives(sample.kind, corpus::reaction(status, body)));
        drop(runtime);
        let peak = MEMORY.get_peak_memory();
        let what = format!("HAOS_SEED={seed}: {:?} {status}, {size} bytes", sample.kind);
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "{what}: a panic");
        survived.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert!(peak <= MOST, "{what}: {peak} bytes of memory");
        largest = largest.max((peak, seed));
    }
    println!("{} MiB at most, with HAOS_SEED={}", largest.0 >> 20, largest.1);
}

/// Answers that are made to take much memory for few bytes, as large as they may be.
#[test]
fn what_an_entry_takes_has_an_end() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let limits = AnswerLimits { entries: 5000, ..AnswerLimits::low_memory() };
    let most = limits.entries - 10;
    let list = |item: &dyn Fn(usize) -> String| (0..most).map(item).collect::<Vec<_>>().join(",");
    let events = list(&|n| format!(r#"{{"event_id":"{n}","sender":"@","type":"t"}}"#));
    let state = list(&|n| format!(r#"{{"event_id":"{n}","sender":"@","type":"t","state_key":"{n}"}}"#));
    let users = list(&|n| format!(r#""{n}":{{}}"#));
    let room = |body: String| format!(r#"{{"next_batch":"s","rooms":{{"join":{{"!r":{body}}}}}}}"#);
    for (what, answer) in [
        ("events", room(format!(r#"{{"timeline":{{"events":[{events}]}}}}"#))),
        ("state", room(format!(r#"{{"state":{{"events":[{state}]}}}}"#))),
        (
            "receipts",
            room(format!(
                r#"{{"ephemeral":{{"events":[{{"type":"m.receipt","content":{{"$e":{{"m.read":{{{users}}}}}}}}}]}}}}"#
            )),
        ),
        ("rooms", format!(r#"{{"next_batch":"s","rooms":{{"join":{{{users}}}}}}}"#)),
        ("zeros", room(format!(r#"{{"timeline":{{"events":[{}]}}}}"#, list(&|_| "0".to_owned())))),
    ] {
        let peak = peak_of(&answer, limits).unwrap();
        println!("{what}: {} bytes an entry, {} of it came", peak / most, answer.len() / most);
        assert!(peak <= MOST_OF_AN_ENTRY * most, "{what}: {peak} bytes for {most} entries");
        let tight = AnswerLimits { entries: most / 2, ..limits };
        let refused = peak_of(&answer, tight);
        assert_eq!(refused, Err(ParseError::TooMuch { limit: most / 2 }), "{what}");
    }
}

/// The peak of reading and applying an answer, in bytes.
fn peak_of(answer: &str, limits: AnswerLimits) -> Result<usize, ParseError> {
    MEMORY.reset_peak_memory();
    let mut delta = parse_sync(answer.as_bytes(), &Account { limits, ..Account::default() })?;
    let store = MemoryStore::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        KeepLimits::default().admit(&store, &mut delta).await.unwrap();
        apply_sync(&store, &delta, None, &MatrixProtocol).await.unwrap();
    });
    Ok(MEMORY.get_peak_memory())
}
