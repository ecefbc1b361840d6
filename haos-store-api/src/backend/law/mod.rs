//! The laws: the meaning of a write and the cut of a read. Pure, synchronous, the same on every backend.
//!
//! A backend implements [`Rows`] over one transaction and calls [`apply`]; its reads gather rows and
//! hand them to [`slice()`], [`RoomPager`] and the `matches` functions.

mod apply;
mod media;
mod order;
mod prune;
mod read;
mod resolve;
mod rows;

pub use apply::{Applied, apply};
pub use media::evict;
pub use order::sort_by;
pub use prune::{PrunedRun, prune};
pub use read::{RoomPager, media_matches, pending_matches, relation_matches, slice, sort_media, sort_state};
pub use resolve::{redact, resolve_message, resolve_pending};
pub use rows::{Inserted, MediaRows, OutboxRows, RoomRows, Rows, StateRows, TimelineRows};

#[cfg(test)]
mod tests;
