//! Lists that a screen shows and that stay as the store has them.

mod diff;
pub(crate) mod list;
pub mod rooms;
pub mod timeline;

pub use diff::{Diff, OutOfStep};
pub use list::Diffs;
