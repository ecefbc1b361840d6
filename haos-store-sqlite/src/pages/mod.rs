//! A reader of b-tree pages, for files that SQLite refuses: see <https://sqlite.org/fileformat2.html>.
//!
//! Nothing here trusts a byte of the file. A page is visited once, so that work and memory are bounded by the file's
//! size; what does not fit is left out and told.
//!
//! The pages that map pointers (a store has them, since it vacuums step by step) tell for each page whose child it is,
//! or that it is free. They decide between a pointer and the page it leads to, and they find the children of a page
//! that is damaged itself: a page that was freed is never taken for a live one.

mod cell;
mod chain;
mod index;
mod log;
mod map;
mod number;
mod order;
mod orphan;
mod record;
mod roots;
mod rows;
mod shape;
mod source;
#[cfg(test)]
mod tests;
mod tree;

pub(crate) use index::{Told, entries};
pub(crate) use record::{Value, decode};
pub(crate) use roots::Roots;
pub(crate) use rows::{Step, rows};
pub(crate) use shape::{Index, Shape};
pub(crate) use source::Source;
pub(crate) use tree::{Plan, plan};

/// The size of a store's pages (`docs/format.md`).
pub(crate) const PAGE: usize = 4096;

/// The bytes of a page.
type Bytes = [u8; PAGE];
