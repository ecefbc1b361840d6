//! Where a run goes of which nothing is stored, and what is read to find out.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use proptest::prelude::*;

use super::*;
use crate::reconcile::loose::{Spot, spot};

/// A store that counts the items of its answers.
#[derive(Debug)]
struct Counted {
    rows: MemoryStore,
    items: AtomicUsize,
}

impl Counted {
    fn read(&self, items: usize) {
        self.items.fetch_add(1 + items, Ordering::Relaxed);
    }
}

#[async_trait]
impl StorageAdapter for Counted {
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice> {
        let slice = self.rows.timeline(room, page).await?;
        self.read(slice.items.len());
        Ok(slice)
    }

    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>> {
        let gaps = self.rows.gaps(room).await?;
        self.read(gaps.len());
        Ok(gaps)
    }

    forward_store! { self => self.rows; except timeline, gaps }
}

/// A timeline of messages (`m`), guesses (`~`) and gaps (`|`): what stands at a place is of the time of its number.
fn timed(kinds: &str) -> Counted {
    let rows = store("");
    apply(&rows, |batch| {
        for (n, kind) in (1..).zip(kinds.chars()) {
            let message = |name: String| Message {
                timestamp_ms: i64::try_from(n).unwrap(),
                ..event(&name).into_message(room(), at(n))
            };
            match kind {
                '|' => batch.put_gap(Gap {
                    room: room(),
                    position: at(n),
                    token: None,
                    revision: Revision::ZERO,
                }),
                // A guess is of any time.
                '~' => batch.put_message(Message {
                    provisional: true,
                    timestamp_ms: i64::MAX,
                    ..message(format!("g{n}"))
                }),
                _ => batch.put_message(message(format!("m{n}"))),
            };
        }
    });
    Counted { rows, items: AtomicUsize::new(0) }
}

/// The place before the first gap beyond `after` whose newer side is later.
fn expected(kinds: &str, after: usize, began: usize) -> Spot {
    let kinds: Vec<char> = kinds.chars().collect();
    let is_later = |gap: &usize| {
        let next = (*gap..kinds.len()).find(|n| kinds[*n] == 'm');
        next.is_none_or(|n| n + 1 > began)
    };
    let gap = (after + 1..=kinds.len()).filter(|n| kinds[n - 1] == '|').find(is_later);
    gap.map_or(Spot::End, |gap| Spot::Before(at(gap as u64)))
}

fn found(store: &Counted, after: usize, began: usize) -> Spot {
    now(spot(store, &room(), Some(at(after as u64)), began as i64)).unwrap()
}

proptest! {
    #[test]
    fn a_run_goes_before_the_first_gap_whose_newer_side_is_later(
        kinds in "[mm~|]{1,60}",
        after in 1..60_usize,
        began in 0..70_usize,
    ) {
        prop_assert_eq!(found(&timed(&kinds), after, began), expected(&kinds, after, began), "{}", kinds);
    }
}

#[test]
fn a_spot_is_found_wherever_it_is_and_cheaply_if_it_is_near() {
    let kinds = "|mmmmmmmmm".repeat(500);
    let store = timed(&kinds);
    for (after, began, most) in
        [(5, 7, 20), (5, 90, 300), (4985, 4990, 20), (5, 4100, 2400), (600, 4999, 2400)]
    {
        store.items.store(0, Ordering::Relaxed);
        assert_eq!(found(&store, after, began), expected(&kinds, after, began), "{after} {began}");
        let items = store.items.load(Ordering::Relaxed);
        assert!(items <= most, "{after} {began}: {items}");
    }
}
