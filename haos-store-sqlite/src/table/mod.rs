//! The tables: each file holds the statements of one, for readers and the writer alike.

mod bytes;
mod gap;
mod media;
mod message;
mod meta;
mod pending;
mod room;
mod state;
mod timeline;

pub(crate) use bytes::CHUNK_BITS;
pub(crate) use media::media_columns;
pub(crate) use message::{Put, Sums, message_columns};
pub(crate) use state::state_columns;
