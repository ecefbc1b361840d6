//! From what a server sends and what a store holds to one batch.
//!
//! The server's answers are *segments*: runs of events without a hole among them. The store holds a
//! timeline with gaps. Events that are stored already are anchors and never move; runs of new events go
//! beside the anchor they touch; a gap closes when a segment spans it, or at the beginning of history,
//! and never by a guess. `splice` decides the order, `place` gives the positions, `sync` and `fill` turn both
//! into a batch, and [`apply_sync`] and [`apply_page`] read what they need, apply the batch with its
//! preconditions and plan again on a conflict.

mod apply;
mod derive;
mod emptied;
pub(crate) mod encrypted;
mod fill;
mod gather;
mod loose;
mod marker;
mod merge;
mod place;
mod redactions;
mod room;
mod row;
mod settle;
mod splice;
mod sync;
mod timeline;

pub use apply::{Filled, Synced, apply_page, apply_sync};
use fill::fill;
pub(crate) use marker::accepted;
pub use merge::{Before, HistoryRun, MergedRun, merge_run};
use sync::sync;

/// The reason why no plan could be made from a view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum PlanError {
    /// Too little room: more of the newer (or older) timeline must be read to make some.
    #[error("the window is too narrow: read more of the timeline and plan again")]
    Narrow,
    /// All 2^40 positions of the room are used up at this end.
    #[error("the room's positions are used up: prune the room, then sync again")]
    Exhausted,
    /// The view lacks a part of a room's state.
    #[error(transparent)]
    NotRead(#[from] crate::NotRead),
    /// The delta breaks the store's contract.
    #[error("the server's answer cannot be stored: {0}")]
    Invalid(String),
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
