//! Writing: a backup.

mod ahead;
mod backup;
#[cfg(not(target_arch = "wasm32"))]
mod behind;
mod cut;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod known;
mod meter;
mod packing;
mod pass;
mod section;
#[cfg(not(target_arch = "wasm32"))]
mod worker;
mod writer;

pub use backup::Backup;
