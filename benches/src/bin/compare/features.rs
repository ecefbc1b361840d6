//! The cost of single features of haos-store-sqlite, each beside the same without it.

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::sync::mpsc;

use haos_benches::{Haos, Sqlite, median, pair, stored};
use haos_contest::{Contender, Data, cpu_us};
use haos_store_api::backend::{Codec, MessageColumns};
use haos_store_api::{Message, Revision};
use tokio::sync::oneshot;

use crate::operations::{BULK, GET, RELAXED};
use crate::turns::Shown;

/// A feature, what it is part of, and the cost of that with it and without, in microseconds.
pub(crate) struct Feature {
    pub(crate) name: &'static str,
    pub(crate) part_of: &'static str,
    pub(crate) with_us: f64,
    pub(crate) without_us: f64,
}

/// Those of plain and sealed stores are measured already.
pub(crate) fn measure(shown: &[Shown]) -> Vec<Feature> {
    let of = |name: &str, what| shown.iter().find(|shown| shown.name == name)?.middle(what);
    let mut features = Vec::new();
    for part_of in [BULK, RELAXED, GET] {
        if let (Some(with_us), Some(without_us)) = (of("sqlite-sealed", part_of), of("sqlite", part_of)) {
            features.push(Feature { name: "sealing", part_of, with_us, without_us });
        }
    }
    let mut part = |name, part_of, cost_us: f64| {
        if let Some(with_us) = of("sqlite", part_of) {
            features.push(Feature { name, part_of, with_us, without_us: with_us - cost_us });
        }
    };
    let (encode, decode) = codec_us();
    part("codec: a row made, its keys hashed", BULK, encode);
    part("codec: a row read", GET, decode);
    part("async hop: to the writer's thread and back", RELAXED, hop_us());
    features.push(change_feed());
    features
}

/// One subscriber that takes every change, beside none.
fn change_feed() -> Feature {
    let data = Data::load(10);
    let folders = [0, 1].map(|_| tempfile::tempdir().unwrap());
    let stores = [0, 1].map(|n| Haos::<Sqlite>::open(folders[n].path()));
    stores.iter().for_each(|store| store.put_rooms(10));
    let changes = RefCell::new(stores[1].store().changes());
    let commit = |store: &Haos<Sqlite>, n: &Cell<usize>| {
        let nth = n.replace(n.get() + 1);
        let made = |i| data.message_at(nth * 5 + i, nth % 10, (nth * 5 + i) as u64);
        store.commit(store.batch((0..5).map(made).collect(), Some(format!("s{nth}")), false));
    };
    let turns = [Cell::new(0), Cell::new(0)];
    let (mut without, mut with) = pair(
        200,
        || commit(&stores[0], &turns[0]),
        || {
            commit(&stores[1], &turns[1]);
            assert!(changes.borrow_mut().try_next().is_some(), "a commit is told");
        },
    );
    Feature {
        name: "change feed, one subscriber",
        part_of: RELAXED,
        with_us: median(&mut with),
        without_us: median(&mut without),
    }
}

/// The processor time of a row made of a message, and of a message made of a row.
fn codec_us() -> (f64, f64) {
    let (data, codec) = (Data::load(10), Codec::plain());
    let messages: Vec<Message> = (0..20_000).map(|n| stored(data.message(n))).collect();
    let count = messages.len() as f64;
    let mut passes = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let mut rows = Vec::with_capacity(messages.len());
        let began = cpu_us();
        rows.extend(messages.iter().map(|message| codec.message_row(message, Revision(1)).unwrap()));
        passes.0.push((cpu_us() - began) / count);
        // Known to whoever reads a page.
        let rooms: Vec<_> = messages.iter().map(|message| codec.room_ref(&message.room)).collect();
        let began = cpu_us();
        for ((message, row), room) in messages.iter().zip(&rows).zip(rooms) {
            let columns = MessageColumns {
                position: message.position,
                timestamp_ms: message.timestamp_ms,
                written: Revision(1),
                links: row.links(),
            };
            black_box(codec.message(room, &row.key, columns, row.payload.as_bytes()).unwrap());
        }
        passes.1.push((cpu_us() - began) / count);
    }
    (median(&mut passes.0), median(&mut passes.1))
}

/// To a thread that waits, and the answer to this one, that waits as well.
fn hop_us() -> f64 {
    let (jobs, queue) = mpsc::channel::<oneshot::Sender<()>>();
    let thread = std::thread::spawn(move || queue.into_iter().for_each(|answer| answer.send(()).unwrap()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let hop = || {
        let (answer, answered) = oneshot::channel();
        jobs.send(answer).unwrap();
        runtime.block_on(answered).unwrap();
    };
    let (mut passes, _) = pair(1000, hop, || ());
    drop(jobs);
    thread.join().unwrap();
    median(&mut passes)
}
