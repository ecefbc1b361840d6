//! The reference adapter: every row in ordered maps, gone with the process.

mod chores;
mod read;
#[cfg(feature = "seal")]
mod rotate;
mod rows;
mod store;
mod tables;

pub use store::MemoryStore;
