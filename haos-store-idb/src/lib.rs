//! IndexedDB backend of the HAOS offline store, for windows, dedicated workers and service workers.
//!
//! ```
//! # #[cfg(target_arch = "wasm32")]
//! use haos_store_api::{Page, Result, RoomId, StorageAdapter};
//! # #[cfg(target_arch = "wasm32")]
//! use haos_store_idb::{IdbOptions, IdbStore};
//!
//! # #[cfg(target_arch = "wasm32")]
//! async fn newest(room: &RoomId) -> Result<usize> {
//!     let store = IdbStore::open(IdbOptions::new("chat")).await?;
//!     let slice = store.timeline(room, Page::newest(50)).await?;
//!     Ok(slice.messages().count())
//! }
//! ```
//!
//! The store exists on `wasm32` alone; elsewhere this crate has options and nothing to open with them. Every context of
//! an origin opens the database for itself. The form of records is in `docs/format.md`, the reasons in
//! `ARCHITECTURE.md`.
//!
//! `js/early.js` in this crate is for a page that has to be there at once: it opens the database while the module loads,
//! and meanwhile hands out what `IdbStore::keep_early` kept for it, which needs no WebAssembly.
//!
//! It is not a place for data that must survive everything: a browser may erase an origin's storage when the device is
//! full (`IdbStore::persistence` tells the present state), and people clear it.
//! [`StoreInfo::recovery`](haos_store_api::StoreInfo::recovery) reports an erasure at the next opening, as far as a
//! trace of it remains.

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
#[cfg(any(target_arch = "wasm32", test))]
pub use engine::early::Early;
pub use options::IdbOptions;
#[cfg(target_arch = "wasm32")]
pub use store::IdbStore;
