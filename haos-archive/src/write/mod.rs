//! Writing: a backup.

mod backup;
#[cfg(not(target_arch = "wasm32"))]
mod behind;
mod cut;
#[cfg(not(target_arch = "wasm32"))]
mod file;
mod known;
mod meter;
mod pass;
mod section;
mod writer;

pub use backup::Backup;
