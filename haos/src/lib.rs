//! Offline-first chat: rooms and timelines that open at once and stay live, messages that are sent once.

mod base;
pub mod content;
mod error;
pub mod live;

pub use error::{Error, Result};
pub use live::{Diff, Diffs, OutOfStep};
