//! Reconciliation of what a server sends with what a store holds (wip).

mod delta;
pub mod reconcile;

pub use delta::{
    BackfillPage, EmptyOnRedaction, Event, RoomDelta, RoomPatch, Rules, Since, SpaceLink, SyncDelta,
};
pub use reconcile::{Filled, Synced, apply_page, apply_sync};
