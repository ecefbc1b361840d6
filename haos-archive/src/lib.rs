//! Backup, restore, move and export of any HAOS store.

pub mod export;
mod record;

pub use record::Record;
