//! The list of rooms: a window of the latest, sorted and filtered, that stays live.

mod account;
mod filter;
mod item;
mod latest;
mod list;
mod order;
mod part;
mod reader;
mod rows;
#[cfg(test)]
pub(super) mod tests;
mod unsent;

pub use filter::RoomFilter;
pub use item::{Preview, RoomItem};
pub use list::RoomList;
