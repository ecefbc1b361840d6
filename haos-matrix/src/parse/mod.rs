//! Answers of a homeserver, read into deltas: pure functions that keep what came byte for byte.

mod account_data;
mod budget;
mod context;
pub(crate) mod decoded;
mod device;
mod error;
mod event;
mod limits;
mod measure;
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
#[cfg(test)]
mod tests;
mod unreadable;

pub(crate) use account_data::is_own;
pub(crate) use context::parse_context;
pub(crate) use device::{DEVICE_LIST, TO_DEVICE_KIND};
pub use error::ParseError;
pub use event::parse_event;
pub use limits::AnswerLimits;
pub use messages::{parse_messages, parse_messages_within};
pub(crate) use rest::without_copy;
pub(crate) use roster::parse_roster;
pub use sliding::{Sliding, parse_sliding};
pub use sync::parse_sync;
pub(crate) use unreadable::{LEFT_OUT, UNREADABLE_KEY, digest, known_key, known_kind};
