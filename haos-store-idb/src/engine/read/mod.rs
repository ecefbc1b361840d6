//! Readings: pure functions of the memory, each of one state of the store. What one lacks is in its view's faults.
//!
//! Those that a first page does not need are never inlined: a module in two halves has them in the second.

mod records;
mod timeline;
mod walk;

use haos_store_api::backend::Codec;

use super::view::View;
pub(crate) use walk::Walk;

/// One reading.
pub(crate) struct Reader<'r, 'm> {
    pub(crate) view: &'r mut View<'m>,
    pub(crate) codec: &'r Codec,
}
