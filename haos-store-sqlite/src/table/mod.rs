//! The tables: each file holds the statements of one, for readers and the writer alike.

mod gap;
mod media;
mod message;
mod meta;
mod pending;
mod room;
mod state;

pub(crate) use media::CHUNK_BITS;
pub(crate) use message::{Put, Sums, short_sender};
