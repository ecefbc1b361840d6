//! Every operation, a group each, of every contender that one program can hold. For ratios, contenders in turns and
//! matrix-sdk-sqlite see `cargo xtask bench`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "criterion's macros; a benchmark may panic"
)]

use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use haos_benches::{CONTENDERS, with_contender};
use haos_contest::{Contender, Order, Told, Turn};

const ROOMS: usize = 20;
const MESSAGES: usize = 20_000;

/// A group: its name, what a number of calls is ordered as, and whether a call takes milliseconds.
type Group = (&'static str, fn(usize) -> Order, bool);

const GROUPS: [Group; 16] = [
    ("bulk_insert", |calls| Order::Bulk { messages: calls, commit: 1000 }, false),
    ("sync_relaxed", |calls| Order::Sync { calls, strict: false }, false),
    ("sync_strict", |calls| Order::Sync { calls, strict: true }, true),
    ("newest_50", Order::Newest, false),
    ("page_deep", Order::Deep, false),
    ("page_around", Order::Around, false),
    ("get", Order::Get, false),
    ("related", Order::Related, false),
    ("rooms_by_recency", Order::Rooms, false),
    ("enqueue_and_sent", Order::Send, true),
    ("media_put_4k", |calls| Order::PutMedia { calls, bytes: 4 << 10 }, false),
    ("media_read_4k", |calls| Order::Media { calls, bytes: 4 << 10, part: false }, false),
    ("media_put_1m", |calls| Order::PutMedia { calls, bytes: 1 << 20 }, true),
    ("media_read_1m", |calls| Order::Media { calls, bytes: 1 << 20, part: false }, true),
    ("media_range_of_1m", |calls| Order::Media { calls, bytes: 1 << 20, part: true }, false),
    ("restart", |_| Order::Restart { cold: false }, true),
];

fn filled<'f, C: Contender + 'f>(folder: &'f Path) -> Box<dyn FnMut(&Order) -> Told + 'f> {
    let mut turn = Turn::<C>::open(folder, ROOMS);
    turn.obey(&Order::Bulk { messages: MESSAGES, commit: 1000 });
    // For those groups that read files to have some where they run alone.
    turn.obey(&Order::PutMedia { calls: 1, bytes: 4 << 10 });
    turn.obey(&Order::PutMedia { calls: 1, bytes: 1 << 20 });
    Box::new(move |order| turn.obey(order))
}

fn operations(c: &mut Criterion) {
    let folders: Vec<_> = CONTENDERS.iter().map(|_| tempfile::tempdir().unwrap()).collect();
    let mut contenders: Vec<_> = CONTENDERS
        .iter()
        .zip(&folders)
        .map(|(name, folder)| (*name, with_contender!(*name, filled(folder.path()))))
        .collect();
    for (group, order, slow) in GROUPS {
        let mut group = c.benchmark_group(group);
        group.sample_size(10).warm_up_time(Duration::from_millis(if slow { 100 } else { 300 }));
        group.measurement_time(Duration::from_secs(1));
        for (name, obey) in &mut contenders {
            if *name == "memory" && order(1) == (Order::Restart { cold: false }) {
                continue;
            }
            group.bench_function(*name, |b| {
                b.iter_custom(|calls| {
                    let (mut took, mut left) = (0.0, calls as usize);
                    while left > 0 {
                        let order = order(left.min(5000));
                        let told = obey(&order);
                        took += told.wall_us.iter().sum::<f64>();
                        left -= match order {
                            Order::Bulk { messages, .. } => messages,
                            // A restart is one call, however often it is to be.
                            _ => told.wall_us.len(),
                        };
                    }
                    Duration::from_secs_f64(took / 1e6)
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, operations);
criterion_main!(benches);
