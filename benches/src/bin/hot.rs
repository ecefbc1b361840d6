//! A hot path, several times over, for `cargo xtask bench --check` to count its instructions: `hot PATH CALLS OF`
//! makes what OF calls need and does the first CALLS of them. Two runs that differ in CALLS alone differ by the
//! instructions of the calls between.
//!
//! A path is a contender and an operation, as `sqlite-sealed-newest`; or `codec` and one.
#![allow(clippy::panic, clippy::expect_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::path::Path;

use haos_benches::{stored, with_contender};
use haos_contest::{Contender, Data, Made};
use haos_store_api::backend::{Codec, MessageColumns, MessageRow, RoomRef};
use haos_store_api::{Message, Revision};

const ROOMS: usize = 10;
/// Messages that are there before the calls.
const BULK: usize = 2_000;
/// Messages of a commit of a bulk, of a sync, and of a page.
const COMMIT: usize = 1_000;
const SYNC: usize = 5;
const PAGE: usize = 50;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [path, calls, of] = &words[..] else { panic!("usage: hot PATH CALLS OF") };
    let (who, what) = path.rsplit_once('-').expect("PATH is a contender, a hyphen and an operation");
    let number = |word: &String| word.parse().expect("CALLS and OF are numbers");
    let (calls, of): (usize, usize) = (number(calls), number(of));
    assert!(calls <= of, "OF are all");
    if who == "codec" {
        return codec(what, calls, of);
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    with_contender!(who, store(folder.path(), what, calls, of));
}

/// The calls of a store; it is closed afterwards, so that nothing of what they began is left out.
fn store<C: Contender>(folder: &Path, what: &str, calls: usize, of: usize) {
    let (data, store) = (Data::load(ROOMS), C::open(folder));
    store.put_rooms(ROOMS);
    (0..BULK / COMMIT).for_each(|nth| store.commit(bulk(&store, &data, nth)));
    match what {
        "bulk" => commit(&store, calls, (0..of).map(|nth| bulk(&store, &data, BULK / COMMIT + nth))),
        "sync" => commit(&store, calls, (0..of).map(|nth| sync(&store, &data, nth))),
        "newest" => {
            (0..calls).for_each(|nth| assert_eq!(store.newest(nth % ROOMS, PAGE), PAGE, "a page is full"));
        }
        "get" => {
            let about: Vec<Made> = (0..of).map(|nth| data.message(nth * 7 % BULK)).collect();
            about[..calls].iter().for_each(|made| assert!(store.get(made.room, &made.id), "it is there"));
        }
        other => panic!("no operation is called {other}"),
    }
    store.close();
}

fn bulk<C: Contender>(store: &C, data: &Data, nth: usize) -> C::Batch {
    let made = (nth * COMMIT..(nth + 1) * COMMIT).map(|n| data.message(n));
    store.batch(made.collect(), None, false)
}

/// Messages of one room, which come after the bulk's.
fn sync<C: Contender>(store: &C, data: &Data, nth: usize) -> C::Batch {
    let made = |n: usize| data.message_at(BULK + n, nth % ROOMS, (BULK + n) as u64);
    let made = (nth * SYNC..(nth + 1) * SYNC).map(made);
    store.batch(made.collect(), Some(format!("s{nth}")), false)
}

fn commit<C: Contender>(store: &C, calls: usize, batches: impl Iterator<Item = C::Batch>) {
    let mut batches: Vec<C::Batch> = batches.collect();
    let rest = batches.split_off(calls);
    batches.into_iter().for_each(|batch| store.commit(batch));
    // Dropping belongs to a commit: these are not dropped.
    std::mem::forget(rest);
}

/// Messages to rows, and back, without a key.
fn codec(what: &str, calls: usize, of: usize) {
    let (data, codec) = (Data::load(ROOMS), Codec::plain());
    let messages: Vec<Message> = (0..of).map(|n| stored(data.message(n))).collect();
    let encode =
        |message: &Message| codec.message_row(message, Revision(1)).expect("a message becomes a row");
    match what {
        "encode" => messages[..calls].iter().for_each(|message| drop(black_box(encode(message)))),
        "decode" => {
            let rows: Vec<MessageRow> = messages.iter().map(encode).collect();
            // Known to whoever reads a page.
            let rooms: Vec<RoomRef<'_>> =
                messages.iter().map(|message| codec.room_ref(&message.room)).collect();
            for ((message, row), room) in messages.iter().zip(&rows).zip(rooms).take(calls) {
                let Message { position, timestamp_ms, .. } = *message;
                let links = row.links();
                let columns = MessageColumns { position, timestamp_ms, written: Revision(1), links };
                let read = codec.message(room, &row.key, columns, row.payload.as_bytes());
                drop(black_box(read.expect("a row becomes a message")));
            }
        }
        other => panic!("the codec has no operation {other}"),
    }
}
