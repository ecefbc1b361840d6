//! The collections that are one record an entity: rows to values and back, in a batch.

mod gap;
mod media;
mod outbox;
mod room;
mod state;

pub(crate) use gap::{gap_columns, read_gap, read_gaps};
pub(crate) use media::{CHUNK, media_columns, media_row};
pub(crate) use outbox::{pending_columns, read_outbox_row};
pub(crate) use room::read_room_row;
pub(crate) use state::{read_state_row, state_columns, state_place};
