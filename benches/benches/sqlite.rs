//! The SQLite backend against plain rusqlite, in one run. For ratios see `bin/ratios.rs`.
#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use haos_benches::{Floor, Scale, message, room_id};
use haos_store_api::{Cursor, Membership, Message, Page, Room, StorageAdapter, WriteBatch};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

const SCALE: Scale = Scale { messages: 20_000, rooms: 20 };
const BATCH: usize = 1000;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn batches() -> Vec<Vec<(usize, Message)>> {
    // What one response brings: some messages of every room, room by room.
    let response = |start: usize| {
        let mut all: Vec<_> = (start..start + BATCH).map(|n| (n % SCALE.rooms, message(n, SCALE))).collect();
        all.sort_by_key(|(room, _)| *room);
        all
    };
    (0..SCALE.messages).step_by(BATCH).map(response).collect()
}

fn rooms() -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    for room in 0..SCALE.rooms {
        batch.put_room(Room::new(room_id(room), Membership::Join));
    }
    batch
}

fn bulk(c: &mut Criterion) {
    let runtime = runtime();
    let batches = batches();
    let mut group = c.benchmark_group("bulk_insert");
    group.sample_size(10).throughput(Throughput::Elements(SCALE.messages as u64));
    group.bench_function("floor", |b| {
        b.iter_batched(
            || tempfile::tempdir().unwrap(),
            |folder| {
                let mut floor = Floor::open(&folder.path().join("floor.db"), SCALE).unwrap();
                batches.iter().for_each(|batch| floor.insert(batch).unwrap());
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("haos", |b| {
        b.iter_batched(
            || (tempfile::tempdir().unwrap(), batches.clone()),
            |(folder, batches)| {
                runtime.block_on(async {
                    let store = open(&folder).await;
                    store.apply(rooms()).await.unwrap();
                    for messages in batches {
                        let mut batch = WriteBatch::relaxed();
                        for (_, message) in messages {
                            batch.put_message(message);
                        }
                        store.apply(batch).await.unwrap();
                    }
                });
                folder
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

async fn open(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(SqliteOptions::new(folder.path().join("haos.db"))).await.unwrap()
}

fn reads(c: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let mut floor = Floor::open(&folder.path().join("floor.db"), SCALE).unwrap();
    let store = runtime.block_on(open(&folder));
    runtime.block_on(store.apply(rooms())).unwrap();
    for messages in batches() {
        floor.insert(&messages).unwrap();
        let mut batch = WriteBatch::relaxed();
        for (_, message) in messages {
            batch.put_message(message);
        }
        runtime.block_on(store.apply(batch)).unwrap();
    }
    let deep = message(SCALE.messages / 3, SCALE);
    let room = room_id(7);
    let mut group = c.benchmark_group("read");
    for (name, before) in [("newest_50", None), ("deep_50", Some(deep.position))] {
        group.bench_function(BenchmarkId::new(name, "floor"), |b| {
            let before = before.map(|position| position.get() as i64);
            b.iter(|| black_box(floor.page(7, before, 50).unwrap()));
        });
        group.bench_function(BenchmarkId::new(name, "haos"), |b| {
            let page = before.map_or(Page::newest(50), |at| Page::older_than(Cursor::at_position(at), 50));
            b.iter(|| {
                runtime.block_on(async { black_box(store.timeline(&room, page.clone()).await.unwrap()) })
            });
        });
    }
    let event = message(7 + SCALE.rooms * 500, SCALE).id;
    group.bench_function(BenchmarkId::new("get", "floor"), |b| {
        b.iter(|| black_box(floor.get(7, event.as_str()).unwrap()));
    });
    group.bench_function(BenchmarkId::new("get", "haos"), |b| {
        b.iter(|| runtime.block_on(async { black_box(store.message(&room, &event).await.unwrap()) }));
    });
    group.finish();
}

criterion_group!(benches, bulk, reads);
criterion_main!(benches);
