//! A contender of the benchmarks in a process of its own: `contend NAME FOLDER ROOMS`, then orders on the standard
//! input. `compare` starts it.
#![allow(clippy::panic, clippy::expect_used, reason = "a benchmark may panic")]

use std::path::Path;

use haos_benches::with_contender;
use haos_contest::serve;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().expect("usage: contend NAME FOLDER ROOMS");
    let (name, folder) = (next(), next());
    let (folder, rooms) = (Path::new(&folder), next().parse().expect("ROOMS is a number"));
    with_contender!(name.as_str(), serve(folder, rooms));
}
