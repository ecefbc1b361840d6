//! The life of an outbox row: pure, `(row, event, now) -> step`.
//!
//! [`step`] decides and changes nothing; [`plan`] turns what it decided into one batch, with what follows
//! for the rows that wait for this one. The driver and the outbox's handle apply such batches, each
//! expecting the row as it was read, so that of two contexts only one wins.

mod event;
mod plan;
mod table;

pub use event::{Class, Event, EventKind, Failure, Phase, Taken};
pub use plan::{Family, plan};
pub(crate) use plan::{adopt, echo, move_children};
pub use table::{Context, Step, step};

#[cfg(test)]
mod tests;
