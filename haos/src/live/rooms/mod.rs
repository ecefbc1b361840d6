//! The list of rooms.

mod item;

pub use item::{Preview, RoomItem};
