//! Ratios of the SQLite backend to the floor, the two taking turns, the median of the passes.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::Path;

use haos_benches::{Floor, PASSES, Scale, cpu, message, pair, room_id, row};
use haos_store_api::{
    Cursor, EventType, Json, Membership, Message, Page, Position, Room, Scope, Secret, StateEntry, StateKey,
    StorageAdapter, WriteBatch, state_kind,
};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

const SCALE: Scale = Scale::FULL;
const BATCH: usize = 1000;

fn main() {
    let runtime = Builder::new_current_thread().build().unwrap();
    println!("{} messages in {} rooms, {PASSES} passes in turns, medians", SCALE.messages, SCALE.rooms);
    haos_benches::head(["floor", "haos"]);
    let mut bulk = (Vec::new(), Vec::new());
    let mut last = None;
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let made: Vec<_> = (0..SCALE.messages).step_by(BATCH).map(made).collect();
        let (floor, spent) = cpu(|| bulk_floor(folder.path(), &made));
        bulk.0.push(spent / SCALE.messages as f64);
        let batches = made.into_iter().map(batch).collect();
        let options = SqliteOptions::new(folder.path().join("haos.db"));
        let (store, spent) = cpu(|| runtime.block_on(bulk_haos(options, batches)));
        bulk.1.push(spent / SCALE.messages as f64);
        last = Some((folder, floor, store));
    }
    row("bulk insert, CPU us a message", bulk, "1.3");
    let (folder, mut floor, store) = last.unwrap();

    let room = room_id(42);
    let deep = Position::FIRST.newer(300).unwrap();
    let newest = pair(
        500,
        || drop(black_box(floor.page(42, None, 50))),
        || {
            drop(black_box(runtime.block_on(store.timeline(&room, Page::newest(50)))));
        },
    );
    row("newest 50, us", newest, "1.5");
    let options = SqliteOptions::new(folder.path().join("sealed.db")).secret(Secret::key([1; 32]));
    let batches = (0..SCALE.messages).step_by(BATCH).map(|start| batch(made(start))).collect();
    let sealed = runtime.block_on(bulk_haos(options, batches));
    let newest = pair(
        500,
        || drop(black_box(floor.page(42, None, 50))),
        || drop(black_box(runtime.block_on(sealed.timeline(&room, Page::newest(50))))),
    );
    runtime.block_on(sealed.close()).unwrap();
    // A fifth of the 21 that matrix-sdk-sqlite with a key takes of the same floor.
    row("newest 50, sealed, us", newest, "4.2");
    let page = Page::older_than(Cursor::at_position(deep), 50);
    let deep = pair(
        500,
        || drop(black_box(floor.page(42, Some(deep.get() as i64), 50))),
        || {
            drop(black_box(runtime.block_on(store.timeline(&room, page.clone()))));
        },
    );
    row("50 deep in the room, us", deep, "1.5");
    let events: Vec<Message> = (0..1000).map(|n| message(n * 97, SCALE)).collect();
    let mut turn = (0..).map(|n: usize| &events[n % events.len()]);
    let mut other = (0..).map(|n: usize| &events[n % events.len()]);
    let numbers: std::collections::HashMap<_, _> = (0..SCALE.rooms).map(|n| (room_id(n), n)).collect();
    let get = pair(
        2000,
        || {
            let event = turn.next().unwrap();
            drop(black_box(floor.get(numbers[&event.room], event.id.as_str()).unwrap()));
        },
        || {
            let event = other.next().unwrap();
            let found = runtime.block_on(store.message(&event.room, &event.id)).unwrap();
            assert!(black_box(found).is_some());
        },
    );
    row("get by event id, us", get, "2");
    row("sync commit, Strict, us", syncs(&mut floor, &store, &runtime), "1.3");
    runtime.block_on(store.close()).unwrap();
    drop(floor);
    let size =
        |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().len() as f64 / (1 << 20) as f64;
    row("size, MiB", (vec![size("floor.db")], vec![size("haos.db")]), "-");
}

/// 5 messages, their room's row and the token, `Strict`.
fn syncs(floor: &mut Floor, store: &SqliteStore, runtime: &Runtime) -> (Vec<f64>, Vec<f64>) {
    let made = |n: usize| -> Vec<(usize, Message)> {
        let at = |i: usize| SCALE.messages + n * 5 + i;
        let position = |i: usize| Position::FIRST.newer((100_000 + n * 5 + i) as u64).unwrap();
        let room = n % SCALE.rooms;
        (0..5)
            .map(|i| (room, Message { room: room_id(room), position: position(i), ..message(at(i), SCALE) }))
            .collect()
    };
    let (mut a, mut b) = (0, 0);
    pair(
        100,
        || {
            floor.sync(&made(a), &format!("s{a}")).unwrap();
            a += 1;
        },
        || {
            let messages = made(b);
            let room = messages[0].1.room.clone();
            let mut batch = WriteBatch::strict();
            let last_activity_ms = messages[4].1.timestamp_ms;
            batch.put_room(Room {
                name: Some(format!("s{b}")),
                last_activity_ms,
                ..Room::new(room, Membership::Join)
            });
            for (_, message) in messages {
                batch.put_message(message);
            }
            batch.put_state(StateEntry {
                scope: Scope::Account,
                kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
                key: StateKey::new("").unwrap(),
                event_id: None,
                value: Json::of(&format!("s{b}")).unwrap(),
            });
            runtime.block_on(store.apply(batch)).unwrap();
            b += 1;
        },
    )
}

fn bulk_floor(folder: &Path, batches: &[Vec<(usize, Message)>]) -> Floor {
    let mut floor = Floor::open(&folder.join("floor.db"), SCALE).unwrap();
    batches.iter().for_each(|batch| floor.insert(batch).unwrap());
    floor
}

async fn bulk_haos(options: SqliteOptions, batches: Vec<WriteBatch>) -> SqliteStore {
    let store = SqliteStore::open(options).await.unwrap();
    let mut rooms = WriteBatch::relaxed();
    for room in 0..SCALE.rooms {
        rooms.put_room(Room::new(room_id(room), Membership::Join));
    }
    store.apply(rooms).await.unwrap();
    for batch in batches {
        store.apply(batch).await.unwrap();
    }
    store
}

fn batch(messages: Vec<(usize, Message)>) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    for (_, message) in messages {
        batch.put_message(message);
    }
    batch
}

fn made(start: usize) -> Vec<(usize, Message)> {
    (start..start + BATCH).map(|n| (n % SCALE.rooms, message(n, SCALE))).collect()
}
