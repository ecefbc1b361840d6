//! Reads, each within one transaction.

mod anchors;
mod records;
mod timeline;
mod walk;

pub(crate) use anchors::Anchors;
pub(crate) use records::Reader;
