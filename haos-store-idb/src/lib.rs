//! IndexedDB backend of the HAOS offline store.

mod options;

pub use options::IdbOptions;
