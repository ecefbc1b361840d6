//! Damage with a name.

use std::collections::BTreeSet;

use crate::judge::{Sums, judge};
use crate::make::{Made, make};

const PAGE: usize = 4096;

/// Zeroes a page of a file.
fn zeroed(made: &Made, page: usize) -> (Vec<u8>, BTreeSet<usize>) {
    let mut bytes = made.bytes.clone();
    bytes[(page - 1) * PAGE..page * PAGE].fill(0);
    (bytes, [page].into())
}

/// Zeroes every page of a table or an index, one at a time.
async fn each_page(tables: &[&str]) {
    for (sealed, has_mirror) in [(false, false), (true, false), (false, true), (true, true)] {
        let mut made = make(sealed).await;
        made.mirror = made.mirror.filter(|_| has_mirror);
        let mut sums = Sums::default();
        for table in tables {
            for page in &made.pages[*table] {
                let (bytes, pages) = zeroed(&made, *page);
                judge(
                    &made,
                    &bytes,
                    &pages,
                    &format!("{table}, page {page}, sealed {sealed}, mirror {has_mirror}"),
                    &mut sums,
                )
                .await;
            }
        }
        assert_eq!(sums.refused, 0);
        println!("sealed {sealed}: {sums:?}");
    }
}

/// <https://github.com/signalapp/Signal-Desktop/issues/3140>: a corrupt file was wiped, with all of the history.
#[tokio::test]
async fn signal_desktop_3140_a_corrupt_file_is_not_wiped() {
    each_page(&["pending", "meta", "keyring", "sqlite_schema"]).await;
}

/// <https://github.com/matrix-org/matrix-rust-sdk/issues/6298>: a store that could not be opened was deleted.
#[tokio::test]
async fn matrix_rust_sdk_6298_a_corrupt_file_is_not_wiped() {
    each_page(&["room", "gap"]).await;
}

#[tokio::test]
async fn a_damaged_index_costs_no_row() {
    let made = make(false).await;
    let mut sums = Sums::default();
    for (name, own) in &made.pages {
        if name.contains("_by_") {
            let page = *own.first().unwrap();
            let (bytes, pages) = zeroed(&made, page);
            judge(&made, &bytes, &pages, &format!("{name}, page {page}"), &mut sums).await;
        }
    }
    assert_eq!((sums.readable, sums.unsent_readable), (sums.messages, sums.unsent), "{sums:?}");
}

/// The pages below a damaged one are found through the map of pointers.
#[tokio::test]
async fn a_damaged_interior_page_costs_no_row() {
    let made = make(false).await;
    let own: BTreeSet<usize> = made.messages.values().flat_map(|(_, pages)| pages.clone()).collect();
    let interior: Vec<usize> = made.pages["message"].difference(&own).copied().collect();
    assert!(!interior.is_empty());
    let mut sums = Sums::default();
    for page in interior {
        let (bytes, pages) = zeroed(&made, page);
        judge(&made, &bytes, &pages, &format!("page {page}"), &mut sums).await;
    }
    assert_eq!(sums.readable, sums.messages, "{sums:?}");
    assert_eq!(sums.tokens_dropped, 0, "nothing is missing: {sums:?}");
}

/// The first pages that map pointers.
#[tokio::test]
async fn a_damaged_map_of_pointers_costs_no_row() {
    let made = make(false).await;
    let mut sums = Sums::default();
    let (bytes, pages) = zeroed(&made, 2);
    judge(&made, &bytes, &pages, "the map", &mut sums).await;
    assert_eq!(sums.readable, sums.messages, "{sums:?}");
}

/// What a page shows that claims more cells than it has was removed; one that claims fewer hides rows.
#[tokio::test]
async fn a_page_that_claims_another_number_of_cells_brings_nothing_back_and_hides_no_loss() {
    let made = make(false).await;
    let mut sums = Sums::default();
    let pages = made.pages.iter().filter(|(name, _)| !name.starts_with("sqlite_") && *name != "media_chunk");
    for (name, page) in pages.filter_map(|(name, own)| Some((name, *own.last()?))) {
        for bit in 0..8 {
            let mut bytes = made.bytes.clone();
            bytes[(page - 1) * PAGE + 4] ^= 1 << bit;
            judge(&made, &bytes, &[page].into(), &format!("{name}, page {page}, bit {bit}"), &mut sums).await;
        }
    }
    assert_eq!(sums.refused, 0, "{sums:?}");
}
