//! The place of a run of which nothing is stored.

use haos_store_api::{Cursor, Gap, Item, Page, Position, Result, RoomId, StorageAdapter};

use super::splice::{Ordered, without_doubled_gaps};
use super::timeline::{Slot, Window};

/// A place in a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// Behind everything.
    End,
    /// Right before the item at this position: a gap, or the oldest message.
    Before(Position),
}

impl Spot {
    pub(super) fn position(self) -> Option<Position> {
        match self {
            Self::End => None,
            Self::Before(position) => Some(position),
        }
    }
}

/// The items looked through, at a time, for one that is no guess.
const STEP: usize = 16;
/// The items looked through for a gap, before all gaps are read.
const NEAR: usize = 1024;

/// Finds where a run belongs that began at a time of the server and is newer than what stands at `after`: before
/// the first gap whose newer side is of a later time. What a store holds without a gap has no place in it.
///
/// The server's times rise with a room's timeline, mostly: of the gaps, log n are looked at.
pub(super) async fn spot<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    after: Option<Position>,
    began_ms: i64,
) -> Result<Spot> {
    if after.is_none()
        && let Some((position, time_ms)) = first_message(store, room, Page::oldest(STEP)).await?
        && time_ms > began_ms
    {
        // A gap before the oldest message is a place of its own.
        let oldest = store.timeline(room, Page::oldest(1)).await?.items.into_iter().next();
        let gap = oldest.filter(|item| item.as_gap().is_some());
        return Ok(Spot::Before(gap.map_or(position, |gap| gap.position())));
    }
    if let Some(after) = after
        && let Some(spot) = spot_beyond(store, room, after, began_ms).await?
    {
        return Ok(spot);
    }
    let gaps = store.gaps(room).await?;
    let from = gaps.partition_point(|gap| after.is_some_and(|after| gap.position <= after));
    let (mut low, mut high) = (from, gaps.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match is_later(store, &gaps[middle], began_ms).await? {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    Ok(gaps.get(low).map_or(Spot::End, |gap| Spot::Before(gap.position)))
}

/// Looks for a spot a little beyond a place; absent if it is further on.
///
/// A timeline is merged run by run, each beyond the one before: reading all gaps for each would cost their square.
async fn spot_beyond<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    after: Position,
    began_ms: i64,
) -> Result<Option<Spot>> {
    let (mut from, mut step, mut left) = (Cursor::at_position(after), STEP, NEAR);
    // A gap that no message has followed so far.
    let mut open: Option<Position> = None;
    while left > 0 {
        let slice = store.timeline(room, Page::newer_than(from, step)).await?;
        for item in &slice.items {
            match (item, open) {
                (Item::Gap(gap), None) => open = Some(gap.position),
                (Item::Message(message), Some(gap)) if !message.provisional => {
                    if message.timestamp_ms > began_ms {
                        return Ok(Some(Spot::Before(gap)));
                    }
                    open = None;
                }
                _ => {}
            }
        }
        match slice.newer().filter(|_| slice.more) {
            Some(next) => from = next,
            // Nothing follows: then the run does.
            None => return Ok(Some(open.map_or(Spot::End, Spot::Before))),
        }
        left = left.saturating_sub(step);
        step = (2 * step).min(left);
    }
    Ok(None)
}

/// Tells if what follows a gap is later than this.
async fn is_later<S: StorageAdapter + ?Sized>(store: &S, gap: &Gap, than_ms: i64) -> Result<bool> {
    let page = Page::newer_than(Cursor::at_position(gap.position), STEP);
    // Nothing follows: then the run does.
    Ok(first_message(store, &gap.room, page).await?.is_none_or(|(_, time_ms)| time_ms > than_ms))
}

/// Finds the first message of a page, or further on, that is no guess: its place and time.
async fn first_message<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    mut page: Page,
) -> Result<Option<(Position, i64)>> {
    loop {
        let slice = store.timeline(room, page).await?;
        let found = slice.items.iter().filter_map(Item::as_message).find(|message| !message.provisional);
        if let Some(message) = found {
            return Ok(Some((message.position, message.timestamp_ms)));
        }
        match slice.newer() {
            Some(next) if slice.more => page = Page::newer_than(next, STEP),
            _ => return Ok(None),
        }
    }
}

/// The window's items with the run at its place. A gap stays on either side where something stands there; `gap` is the
/// one that the other store has before the run.
pub(super) fn loose(window: &Window, events: usize, gap: Option<Option<String>>, spot: Spot) -> Vec<Ordered> {
    let guess = |slot: &Slot| matches!(slot, Slot::Provisional(_));
    let items = || window.items.iter().map(|stored| (Some(stored.position), stored.item.clone()));
    let run = (0..events).map(|index| (None, Slot::New(index)));
    let hole = |token: Option<Option<String>>| token.map(|token| (None, Slot::Gap(token)));
    let found = spot.position().and_then(|at| window.items.iter().position(|item| item.position == at));
    let mut order: Vec<Ordered> = Vec::with_capacity(window.items.len() + events + 2);
    let Some(at) = found else {
        let last = window.items.iter().rev().find(|stored| !guess(&stored.item));
        let gap = match last.map(|stored| &stored.item) {
            // It stays, with its token.
            Some(Slot::Gap(_)) => None,
            Some(_) => Some(gap.flatten()),
            None if window.older => Some(gap.flatten()),
            None => gap,
        };
        order.extend(items());
        order.extend(hole(gap));
        order.extend(run);
        return without_doubled_gaps(order);
    };
    let is_first = !window.older && window.items[..at].iter().all(|stored| guess(&stored.item));
    order.extend(items().take(at));
    order.extend(hole(if is_first { gap } else { Some(gap.flatten()) }));
    order.extend(run);
    if !window.items[at].item.is_gap() {
        order.push((None, Slot::Gap(None)));
    }
    order.extend(items().skip(at));
    without_doubled_gaps(order)
}
