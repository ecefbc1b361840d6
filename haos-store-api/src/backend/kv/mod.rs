//! The engine of stores over ordered keys: the rows of all collections, their indexes, reads, the check and the
//! change of keys, over any [`Tree`].
//!
//! A store whose database is an ordered map of bytes needs no engine of its own: it implements [`Tree`], reads through
//! a [`Reader`], [`apply`]s batches to a [`Layer`] and writes the layer's changes as one atomic commit. The store in
//! memory and the one over sled work this way.

mod apply;
mod check;
mod columns;
mod convert;
mod head;
pub mod keys;
mod layer;
mod reader;
mod reads;
mod record;
mod reseal;
mod rows;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
mod salvage;
mod table;
mod timeline;
mod tree;

pub use apply::apply;
pub use check::{Reading, check, examine};
pub use columns::{Columns, Cut};
pub use convert::copy;
pub use head::{FORMAT, Head, Sums};
pub use layer::{Changes, Layer};
pub use reader::{Order, Reader, Scan};
pub use record::media_columns;
pub use reseal::{Resealed, reseal};
pub use rows::Transaction;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub use salvage::{finish, salvage};
pub(crate) use tree::Map;
pub use tree::{Pair, Span, Tree};

/// The counters' record, for a store with counters of its own.
pub mod counters {
    pub use super::head::{decode, encode, newer};
}

use crate::{Error, ErrorKind};

/// Makes the error for stored bytes that this library did not write.
pub fn corrupt(operation: &'static str, what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, operation, format!("{what}; run `Maintenance::Check` on the store"))
}
