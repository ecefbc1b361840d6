//! What sealing costs: each backend sealed and plain, the two taking turns, the median of the passes.
#![allow(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use haos_benches::{PASSES, Scale, cpu, head, message, pair, room_id, row};
use haos_store_api::*;
use haos_store_sled::{SledOptions, SledStore};
use haos_store_sqlite::{SqliteOptions, SqliteStore};
use tokio::runtime::{Builder, Runtime};

const SCALE: Scale = Scale::FULL;
const BATCH: usize = 1000;

type Store = Arc<dyn StorageAdapter>;

fn main() {
    let runtime = Builder::new_current_thread().build().unwrap();
    println!("{} messages in {} rooms, {PASSES} passes in turns, medians", SCALE.messages, SCALE.rooms);
    for backend in ["memory", "sqlite", "sled"] {
        println!("\n{backend}");
        measure(&runtime, backend);
    }
}

async fn open(backend: &str, folder: &Path, secret: Option<Secret>) -> Store {
    match (backend, secret) {
        ("memory", None) => Arc::new(MemoryStore::new()),
        ("memory", Some(secret)) => {
            let keyring = Keyring::create(&secret, KdfParams::default()).unwrap();
            Arc::new(MemoryStore::with_codec(Codec::sealed(keyring)))
        }
        ("sqlite", secret) => {
            let options = SqliteOptions::new(folder.join("s.db"));
            let options = match secret {
                Some(secret) => options.secret(secret),
                None => options,
            };
            Arc::new(SqliteStore::open(options).await.unwrap())
        }
        (_, secret) => {
            let options = SledOptions::new(folder.join("s"));
            let options = match secret {
                Some(secret) => options.secret(secret),
                None => options,
            };
            Arc::new(SledStore::open(options).await.unwrap())
        }
    }
}

fn measure(runtime: &Runtime, backend: &str) {
    head(["plain", "sealed"]);
    let folders = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let secrets = [None, Some(Secret::passphrase("correct horse battery staple"))];
    let mut bulk = (Vec::new(), Vec::new());
    let [plain, sealed] = [0, 1].map(|n| {
        let store = runtime.block_on(open(backend, folders[n].path(), secrets[n].clone()));
        let batches: Vec<_> = (0..SCALE.messages).step_by(BATCH).map(batch).collect();
        let ((), spent) = cpu(|| runtime.block_on(fill(&store, batches)));
        if n == 0 { &mut bulk.0 } else { &mut bulk.1 }.push(spent / SCALE.messages as f64);
        store
    });
    row("bulk insert, CPU us a message", bulk, "1.3");
    let stores = [&plain, &sealed];
    let both = |calls, call: &dyn Fn(&Store)| pair(calls, || call(stores[0]), || call(stores[1]));

    let room = room_id(42);
    let page = both(300, &|store| drop(black_box(runtime.block_on(store.timeline(&room, Page::newest(50))))));
    row("newest 50, us", page, "2");
    let events: Vec<Message> = (0..1000).map(|n| message(n * 97, SCALE)).collect();
    let turn = std::cell::Cell::new(0);
    let get = both(2000, &|store| {
        let event = &events[turn.replace(turn.get() + 1) % events.len()];
        assert!(runtime.block_on(store.message(&event.room, &event.id)).unwrap().is_some());
    });
    row("get by event id, us", get, "1.5");
    let sync = both(60, &|store| {
        let n = turn.replace(turn.get() + 1);
        runtime.block_on(store.apply(sync_batch(n))).unwrap();
    });
    row("sync commit, Strict, us", sync, "1.3");
    let media = both(20, &|store| {
        let n = turn.replace(turn.get() + 1);
        let mut batch = WriteBatch::relaxed();
        batch.put_media(media(n), vec![n as u8; 1 << 20]);
        runtime.block_on(store.apply(batch)).unwrap();
    });
    row("1 MiB of media written, us", media, "1.3");
    let read = both(20, &|store| {
        let key = runtime.block_on(store.media_index(MediaQuery::default())).unwrap().pop().unwrap().key;
        assert!(runtime.block_on(store.media(&key, ByteRange::ALL)).unwrap().is_some());
    });
    row("1 MiB of media read, us", read, "-");
    let bytes = |n: usize, of: Collection| {
        let usage = runtime.block_on(stores[n].usage()).unwrap().collections;
        usage.iter().find(|(collection, _)| *collection == of).unwrap().1.bytes as f64 / 1024.0
    };
    let size = |of| (vec![bytes(0, of)], vec![bytes(1, of)]);
    row("payloads of messages, KiB", size(Collection::Messages), "1.05");
    let files = [0, 1].map(|n| {
        runtime.block_on(stores[n].close()).unwrap();
        vec![size_of(folders[n].path()) / 1024.0]
    });
    if backend != "memory" {
        row("files, KiB", files.into(), "-");
        let secret = secrets[1].clone().unwrap();
        let store = runtime.block_on(open(backend, folders[1].path(), Some(secret.clone())));
        let start = std::time::Instant::now();
        let change = KeyChange::SetPassphrase(secret, KdfParams::default());
        runtime.block_on(store.change_keys(change)).unwrap();
        println!("passphrase changed in {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    }
}

fn size_of(folder: &Path) -> f64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|p| if p.is_dir() { size_of(&p) } else { p.metadata().unwrap().len() as f64 }).sum()
}

async fn fill(store: &Store, batches: Vec<WriteBatch>) {
    let mut rooms = WriteBatch::relaxed();
    for room in 0..SCALE.rooms {
        rooms.put_room(Room::new(room_id(room), Membership::Join));
    }
    store.apply(rooms).await.unwrap();
    for batch in batches {
        store.apply(batch).await.unwrap();
    }
}

fn batch(start: usize) -> WriteBatch {
    let mut batch = WriteBatch::relaxed();
    for n in start..start + BATCH {
        batch.put_message(message(n, SCALE));
    }
    batch
}

/// 5 messages, their room's row and the token.
fn sync_batch(n: usize) -> WriteBatch {
    let mut batch = WriteBatch::strict();
    let room = room_id(n % SCALE.rooms);
    batch.put_room(Room { name: Some(format!("s{n}")), ..Room::new(room.clone(), Membership::Join) });
    for i in 0..5 {
        let position = Position::FIRST.newer((100_000 + n * 5 + i) as u64).unwrap();
        batch.put_message(Message {
            room: room.clone(),
            position,
            ..message(SCALE.messages + n * 5 + i, SCALE)
        });
    }
    batch.put_state(StateEntry {
        scope: Scope::Account,
        kind: EventType::new(state_kind::SYNC_TOKEN).unwrap(),
        key: StateKey::new("").unwrap(),
        event_id: None,
        value: Json::of(&format!("s{n}")).unwrap(),
    });
    batch
}

fn media(n: usize) -> MediaInfo {
    MediaInfo {
        key: MediaKey {
            uri: MediaUri::new(format!("mxc://example.org/{n}")).unwrap(),
            format: MediaFormat::new("").unwrap(),
        },
        size: 0,
        mime: None,
        rooms: Vec::new(),
        last_access_ms: n as i64,
        fetched_at_ms: 1,
        pinned: false,
    }
}
