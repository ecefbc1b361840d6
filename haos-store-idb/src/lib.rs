//! IndexedDB backend of the HAOS offline store.

#[cfg(target_arch = "wasm32")]
mod connection;
#[cfg(any(target_arch = "wasm32", test))]
mod durability;
#[cfg(any(target_arch = "wasm32", test))]
mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod error;
#[cfg(any(target_arch = "wasm32", test))]
mod feed;
#[cfg(target_arch = "wasm32")]
mod idb;
mod options;
#[cfg(target_arch = "wasm32")]
mod schema;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(all(target_arch = "wasm32", feature = "testing"))]
#[doc(hidden)]
pub mod testing;

#[cfg(target_arch = "wasm32")]
mod tx;

#[cfg(target_arch = "wasm32")]
pub use durability::Persistence;
pub use options::IdbOptions;
#[cfg(target_arch = "wasm32")]
pub use store::IdbStore;
