//! A part of a stored timeline, as far as its order matters.

use haos_store_api::{Cursor, EventId, Item, Page, Position, Result, RoomId, StorageAdapter};

/// The fewest and the most items of a page.
const PAGE: (usize, usize) = (16, 1024);

/// A part of a stored timeline, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Its items.
    pub(super) items: Vec<Stored>,
    /// Older items exist that are not in the window.
    pub(super) older: bool,
    /// Newer items exist that are not in the window.
    pub(super) newer: bool,
}

/// A stored item, as far as its place matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its position.
    pub(super) position: Position,
    /// Its kind.
    pub(super) item: Slot,
}

/// An item at a place of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Slot {
    /// A message that a sync or a page confirmed: an anchor.
    Anchor(EventId),
    /// An own message stored from a send's answer: no anchor, its place is a guess.
    Provisional(EventId),
    /// A hole, with the token that pages into it from its newer edge.
    Gap(Option<String>),
    /// A new event, by its index in the segment.
    New(usize),
}

impl Slot {
    pub(super) fn is_gap(&self) -> bool {
        matches!(self, Self::Gap(_))
    }
}

/// The timeline from the oldest anchor to the newest one (to `high`, such as the end where the segment is the newest
/// of the room), and `margin` items beyond either.
pub(super) async fn window<S: StorageAdapter + ?Sized>(
    store: &S,
    room: &RoomId,
    anchors: Vec<Position>,
    high: Option<Position>,
    margin: usize,
) -> Result<Window> {
    let (Some(low), Some(newest)) = (anchors.iter().min(), anchors.iter().max()) else {
        let slice = store.timeline(room, Page::newest(margin)).await?;
        return Ok(Window {
            items: slice.items.into_iter().map(stored).collect(),
            older: slice.more,
            newer: false,
        });
    };
    let at = Cursor::at_position(*low);
    let below = store.timeline(room, Page::older_than(at, margin)).await?;
    let mut window =
        Window { items: below.items.into_iter().map(stored).collect(), older: below.more, newer: true };
    // As many as there are anchors, mostly.
    let step = anchors.len().saturating_add(margin).clamp(PAGE.0, PAGE.1);
    // The item at `low` itself: a cursor's item is not part of its page.
    let mut page = match low.older(1) {
        Some(before) => Page::newer_than(Cursor::at_position(before), step),
        None => Page::oldest(step),
    };
    let high = high.unwrap_or(*newest);
    let mut beyond = 0;
    while window.newer && beyond < margin {
        let slice = store.timeline(room, page).await?;
        beyond += slice.items.iter().filter(|item| item.position() > high).count();
        window.newer = slice.more;
        let Some(next) = slice.newer() else { break };
        page = Page::newer_than(next, step);
        window.items.extend(slice.items.into_iter().map(stored));
    }
    Ok(window)
}

fn stored(item: Item) -> Stored {
    let position = item.position();
    let item = match item {
        Item::Message(message) if message.provisional => Slot::Provisional(message.id),
        Item::Message(message) => Slot::Anchor(message.id),
        Item::Gap(gap) => Slot::Gap(gap.token),
    };
    Stored { position, item }
}
