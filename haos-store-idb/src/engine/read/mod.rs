//! Reads, each within one transaction.

mod records;
mod timeline;
mod walk;

pub(crate) use records::Reader;
