//! The store as a pure engine: everything except the browser. It runs over any [`kv::Kv`], so that the whole contract
//! is tested natively, over maps, as well as in browsers.
//!
//! A *commit* (`commit.rs`) runs the laws over what is in memory and writes one record to the log. A *fold* (`fold.rs`)
//! works records of the log into the tables. A *reading* (`read/`) is a pure function of the memory (`memory/`), seen
//! through a `view::View`, which names what it lacks; `reload.rs` brings that, and what other contexts committed.

mod changes;
pub(crate) mod chores;
pub(crate) mod commit;
pub(crate) mod early;
pub(crate) mod fold;
pub(crate) mod head;
mod ids;
mod keys;
pub(crate) mod kv;
pub(crate) mod memory;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod reload;
mod row;
mod rows;
mod tables;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
pub(crate) mod view;
mod wanted;

#[cfg(target_arch = "wasm32")]
pub(crate) use haos_store_api::backend::kv::corrupt;
