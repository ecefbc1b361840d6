//! Random damage: flipped bits, zeroed pages, files cut short.

use std::collections::BTreeSet;
use std::time::Instant;

use haos_store_api::conformance::durable::Random;

use crate::judge::{Sums, judge};
use crate::make::{Made, make};

const PAGE: usize = 4096;

/// The number of rounds: `HAOS_DAMAGE=1000` for a long run.
pub(crate) fn rounds() -> u64 {
    std::env::var("HAOS_DAMAGE").map_or(8, |n| n.parse().unwrap())
}

/// Spoils a file; returns the pages, the first being 1.
type Spoil = fn(&mut Random, &Made, &mut Vec<u8>) -> BTreeSet<usize>;

async fn many(name: &str, seed: u64, spoil: Spoil) {
    for sealed in [false, true] {
        let made: Made = make(sealed).await;
        let (mut random, mut sums, began) = (Random(seed), Sums::default(), Instant::now());
        for round in 0..rounds() {
            let mut bytes = made.bytes.clone();
            let pages = spoil(&mut random, &made, &mut bytes);
            let first: Vec<_> = pages.iter().take(3).collect();
            let what = format!("{name}, sealed {sealed}, round {round}, pages {first:?}");
            judge(&made, &bytes, &pages, &what, &mut sums).await;
        }
        println!(
            "{name}, sealed {sealed}: {} KiB, {} s, {sums:?}, {:.3} % of messages readable",
            made.bytes.len() >> 10,
            began.elapsed().as_secs(),
            100.0 * sums.readable as f64 / sums.messages.max(1) as f64
        );
    }
}

#[tokio::test]
async fn a_flipped_bit_costs_no_message_outside_its_page() {
    many("flip", 21, |random, _, bytes| {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
        [at / PAGE + 1].into()
    })
    .await;
}

/// Most bits of a file are content; here each is one that joins pages and cells.
#[tokio::test]
async fn a_flipped_bit_in_the_structure_costs_no_message_outside_its_page() {
    many("structure", 24, |random, made, bytes| {
        let tables =
            ["message", "room", "state", "pending", "gap", "media", "sqlite_schema", "message_by_key"];
        let own: Vec<usize> = made.pages[tables[random.below(tables.len())]].iter().copied().collect();
        // The map of pointers too.
        let page = if random.below(9) == 0 { 2 } else { own[random.below(own.len())] };
        let start = if page == 1 { 100 } else { 0 };
        let at = (page - 1) * PAGE + start + random.below(48);
        bytes[at] ^= 1 << random.below(8);
        [page].into()
    })
    .await;
}

#[tokio::test]
async fn a_zeroed_page_costs_no_message_outside_it() {
    many("zero", 22, |random, _, bytes| {
        let page = random.below(bytes.len() / PAGE);
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        [page + 1].into()
    })
    .await;
}

#[tokio::test]
async fn a_cut_costs_no_message_before_it() {
    many("cut", 23, |random, _, bytes| {
        let (pages, to) = (bytes.len() / PAGE, 1 + random.below(bytes.len() - 1));
        bytes.truncate(to);
        (to / PAGE + 1..=pages).collect()
    })
    .await;
}
