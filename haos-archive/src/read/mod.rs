//! Reading: an archive with the earlier ones that it builds on.

mod archive;
mod check;
mod records;

pub use archive::Archive;
pub use records::Records;
