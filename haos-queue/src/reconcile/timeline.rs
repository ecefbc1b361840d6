use haos_store_api::{EventId, Position};

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
