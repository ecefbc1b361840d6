//! The HAOS offline store in a sled database: pure Rust, for builds without a C compiler.
//!
//! ```
//! use haos_store_api::{Membership, Page, Room, RoomId, StorageAdapter, WriteBatch};
//! use haos_store_sled::{SledOptions, SledStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! # let parent = tempfile::tempdir().expect("a folder");
//! # let path = parent.path().join("chat");
//! let store = SledStore::open(SledOptions::new(&path)).await?;
//!
//! let room = RoomId::new("!lobby")?;
//! let mut batch = WriteBatch::relaxed();
//! batch.put_room(Room::new(room.clone(), Membership::Join));
//! store.apply(batch).await?;
//!
//! assert!(store.timeline(&room, Page::newest(50)).await?.items.is_empty());
//! store.close().await?;
//! # Ok(()) }
//! ```
//!
//! # When to choose it
//!
//! SQLite (`haos-store-sqlite`) is the default, and better in nearly everything: choose this one for a build without a
//! C compiler. Its costs:
//!
//! - sled is pinned to 0.34.7 and is not maintained upstream. Its successor (1.0 alpha) has no
//!   transaction across trees, tore batches when killed, and opens this version's folder as an empty
//!   database.
//! - It keeps more in memory and on disk than SQLite, reads its log when it opens, and gives space back
//!   only by itself: `Maintenance::Compact` frees nothing.
//! - One process at a time. A second one gets `Busy`.
//! - A damaged folder may come up at an older commit, without a word from sled. The store keeps the number
//!   of its latest commit beside it, so that the loss is noticed and reported
//!   ([`StoreInfo::recovery`](haos_store_api::StoreInfo::recovery)); the lost commits stay lost.
//! - After other damage sled opens nothing any more: the folder is set aside, and the outbox with it. Rows are
//!   carried over only if sled still opens it, perhaps without its snapshots.
//! - sled answers such damage with a panic. Every call is caught and becomes an error, unless the
//!   application is built with `panic = "abort"`; the panic's message still goes to standard error.
//! - When the disk fills up, the store refuses every call, and sled may not let go of its files: opening it
//!   again is then `Busy` until the process is restarted. sled has one lock for all databases of a process,
//!   so that others may hang with it.
//!
//! No tool but this library reads its folder.

mod backend;
mod convert;
mod damage;
mod db;
mod error;
mod home;
mod marker;
mod open;
mod options;
mod pinned;
mod rotate;
mod salvage;
mod seal;
mod shared;
mod store;
mod switch;
mod writer;

pub use haos_store_api::backend::native::{OnDamage, Profile};
pub use options::SledOptions;
pub use store::SledStore;
