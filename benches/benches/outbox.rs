//! Draining the outbox, and putting a message into it. For ratios see `bin/outbox.rs`.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use haos_benches::{QueueFloor, Scale, draft, drain, fill, outbox};
use haos_store_api::{MemoryStore, StorageAdapter};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

const ROOMS: usize = 100;

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

async fn open(folder: &tempfile::TempDir, disk: bool) -> Arc<dyn StorageAdapter> {
    match disk {
        true => Arc::new(SqliteStore::open(SqliteOptions::new(folder.path().join("s.db"))).await.unwrap()),
        false => Arc::new(MemoryStore::new()),
    }
}

fn drains(c: &mut Criterion) {
    let runtime = runtime();
    let mut group = c.benchmark_group("drain");
    group.sample_size(10);
    for messages in [1000, 10_000] {
        let scale = Scale { messages, rooms: ROOMS };
        // Time by row: the cost of one must not depend on how many there are.
        group.throughput(Throughput::Elements(messages as u64));
        for (name, disk) in [("memory", false), ("sqlite", true)] {
            group.bench_function(BenchmarkId::new(name, messages), |b| {
                b.iter_batched(
                    || {
                        let folder = tempfile::tempdir().unwrap();
                        let store = runtime.block_on(open(&folder, disk));
                        runtime.block_on(fill(&*store, scale));
                        (folder, store)
                    },
                    |(folder, store)| {
                        runtime.block_on(drain(&store, scale));
                        (folder, store)
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group.finish();
}

fn enqueues(c: &mut Criterion) {
    let runtime = runtime();
    let scale = Scale { messages: usize::MAX, rooms: ROOMS };
    let folder = tempfile::tempdir().unwrap();
    let mut floor = QueueFloor::open(&folder.path().join("floor.db")).unwrap();
    let outbox = outbox(runtime.block_on(open(&folder, true)));
    let mut group = c.benchmark_group("enqueue");
    let mut n = 0;
    group.bench_function("floor", |b| {
        b.iter(|| {
            n += 1;
            floor.enqueue(n, scale).unwrap();
        });
    });
    group.bench_function("haos", |b| {
        b.iter(|| {
            n += 1;
            runtime.block_on(outbox.enqueue(draft(n, scale))).unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, drains, enqueues);
criterion_main!(benches);
