//! Answers of a homeserver, read into deltas: pure functions that keep what came byte for byte.

mod account_data;
mod context;
pub(crate) mod decoded;
mod device;
mod error;
mod event;
pub(crate) mod members;
mod messages;
pub(crate) mod number;
mod receipt;
pub(crate) mod relation;
mod rest;
mod room;
mod roster;
mod sliding;
mod sliding_room;
mod sync;
mod unreadable;

pub(crate) use context::parse_context;
pub use error::ParseError;
pub use event::parse_event;
pub use messages::parse_messages;
pub(crate) use rest::without_copy;
pub(crate) use roster::parse_roster;
pub use sliding::{Sliding, parse_sliding};
pub use sync::parse_sync;
pub(crate) use unreadable::{digest, known_key, known_kind};
