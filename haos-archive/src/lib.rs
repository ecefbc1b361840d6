//! Backup, restore, move and export of any HAOS store.

mod record;

pub use record::Record;
