//! A contender of the benchmarks in a process of its own: `contend NAME FOLDER ROOMS`, then orders on the standard
//! input. `compare` starts it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a benchmark may panic")]

mod floor;
mod haos;

use std::path::Path;

use haos_contest::serve;

use floor::Floor;
use haos::{Haos, Memory, SealedSled, SealedSqlite, Sled, Sqlite};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().expect("usage: contend NAME FOLDER ROOMS");
    let (name, folder) = (next(), next());
    let (folder, rooms) = (Path::new(&folder), next().parse().expect("ROOMS is a number"));
    match name.as_str() {
        "floor" => serve::<Floor>(folder, rooms),
        "memory" => serve::<Haos<Memory>>(folder, rooms),
        "sqlite" => serve::<Haos<Sqlite>>(folder, rooms),
        "sqlite-sealed" => serve::<Haos<SealedSqlite>>(folder, rooms),
        "sled" => serve::<Haos<Sled>>(folder, rooms),
        "sled-sealed" => serve::<Haos<SealedSled>>(folder, rooms),
        other => panic!("no contender is called {other}"),
    }
}
