//! The reference adapter: every row in ordered maps, gone with the process.

mod chores;
mod read;
mod rows;
mod store;
mod tables;

pub use store::MemoryStore;
