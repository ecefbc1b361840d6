//! Rows: the stored form of each entity.

mod any;
mod media;
mod pending;
mod room;
mod state;
mod timeline;

pub use any::RowRef;
pub use media::{ChunkRow, MediaColumns, MediaRow};
pub use pending::{PendingColumns, PendingRow};
pub use room::RoomRow;
pub use state::{StateColumns, StateRow};
pub use timeline::{GapRow, Links, MessageColumns, MessageRow, RoomRef};
