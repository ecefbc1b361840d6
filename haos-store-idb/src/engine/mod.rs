//! The store as a pure engine: everything except the browser. It runs over any [`kv::Kv`], so that the whole contract
//! is tested natively, over a map, as well as in browsers.

pub(crate) mod apply;
pub(crate) mod chores;
pub(crate) mod head;
mod keys;
pub(crate) mod known;
pub(crate) mod kv;
mod load;
mod prefetch;
pub(crate) mod read;
mod rows;
mod segment;
mod tables;
#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;

#[cfg(target_arch = "wasm32")]
pub(crate) use haos_store_api::backend::kv::corrupt;
pub(crate) use prefetch::tables_of;
