//! The implementer's half of the contract: the parts of a backend.
//!
//! A backend moves rows and decides nothing. It takes [`Codec`] for the bytes of a row, [`law`] for the meaning of a
//! batch and the cut of a read, and [`ChangeHub`] for the feed. For a database that is an ordered map, [`kv`] is the
//! rest of its engine; for one in files, `native` is its shell. `examples/outside-backend` is a complete backend, and
//! the suite in `haos_store_api::conformance` tells whether it keeps the contract.

mod codec;
mod crc;
#[cfg(all(feature = "files", not(target_arch = "wasm32")))]
pub mod files;
mod held;
mod io;
pub mod kv;
pub mod law;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub mod native;
mod reads;
mod seal;
mod sorted;
mod turns;

pub use crate::change::{ChangeHub, touched};
pub use codec::{
    CHUNK_BYTES, ChunkRow, Codec, Form, GapRow, Key, Links, MediaColumns, MediaRow, MessageColumns,
    MessageRow, Payload, PendingColumns, PendingRow, RoomRef, RoomRow, RowRef, StateColumns, StateRow,
};
pub use crc::Crc32;
pub use held::{Held, Snapshot};
pub use io::explain_io;
pub use reads::Reads;
pub use seal::Keyring;
pub use sorted::{SortedMap, SortedSet};
pub use turns::Turns;
