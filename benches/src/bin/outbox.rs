//! The cost of a queued message: draining 1,000 and 10,000 rows, and an enqueue against its floor. Rounds
//! take turns, medians are told.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use haos_benches::{PASSES, QueueFloor, Scale, draft, drain, fill, outbox, pair, row};
use haos_contest::cpu_us;
use haos_store_api::{MemoryStore, PendingQuery, PendingState, StorageAdapter};
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

const SMALL: Scale = Scale { messages: 1000, rooms: 100 };
const LARGE: Scale = Scale { messages: 10_000, rooms: 100 };

fn main() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    println!("draining rows in {} rooms, answers at once, medians of {PASSES} passes", SMALL.rooms);
    haos_benches::head(["1,000 rows", "10,000 rows"]);
    for backend in ["memory", "sqlite", "sled"] {
        let (mut wall, mut spent) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..PASSES {
            let (one, other) = (drained(&runtime, backend, SMALL), drained(&runtime, backend, LARGE));
            wall.0.push(one.0);
            wall.1.push(other.0);
            spent.0.push(one.1);
            spent.1.push(other.1);
        }
        row(&format!("{backend}, us a row"), wall, "1.2");
        row(&format!("{backend}, CPU us a row"), spent, "1.2");
    }
    println!();
    haos_benches::head(["floor", "haos"]);
    enqueues(&runtime);
}

async fn open(backend: &str, folder: &Path) -> Arc<dyn StorageAdapter> {
    match backend {
        "memory" => Arc::new(MemoryStore::new()),
        "sqlite" => Arc::new(SqliteStore::open(SqliteOptions::new(folder.join("s.db"))).await.unwrap()),
        _ => Arc::new(SledStore::open(SledOptions::new(folder.join("sled"))).await.unwrap()),
    }
}

/// Wall and CPU time a row, in microseconds.
fn drained(runtime: &Runtime, backend: &str, scale: Scale) -> (f64, f64) {
    let folder = tempfile::tempdir().unwrap();
    let store = runtime.block_on(open(backend, folder.path()));
    runtime.block_on(fill(&*store, scale));
    let start = Instant::now();
    let spent_before = cpu_us();
    runtime.block_on(drain(&store, scale));
    let (wall, spent) = (start.elapsed().as_secs_f64() * 1e6, cpu_us() - spent_before);
    let rows = runtime.block_on(store.pending(PendingQuery::default())).unwrap();
    assert_eq!(rows.len(), scale.messages);
    assert!(rows.iter().all(|row| row.state == PendingState::Sent && row.fence == 1));
    runtime.block_on(store.close()).unwrap();
    (wall / scale.messages as f64, spent / scale.messages as f64)
}

/// A message is in the outbox after one durable commit.
fn enqueues(runtime: &Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let mut floor = QueueFloor::open(&folder.path().join("floor.db")).unwrap();
    let store = runtime.block_on(open("sqlite", folder.path()));
    let outbox = outbox(store.clone());
    let (mut one, mut other) = (0, 0);
    let before = store.changes().start();
    let times = pair(
        200,
        || {
            floor.enqueue(one, SMALL).unwrap();
            one += 1;
        },
        || {
            runtime.block_on(outbox.enqueue(draft(other, SMALL))).unwrap();
            other += 1;
        },
    );
    row("enqueue, us", times, "-");
    let commits = store.changes().start().0 - before.0;
    println!("commits an enqueue: {}", commits as f64 / other as f64);
    assert_eq!(commits, other as u64);
    runtime.block_on(store.close()).unwrap();
}
