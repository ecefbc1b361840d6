//! The HAOS offline store in a SQLite file: the default of native applications.
//!
//! ```
//! use haos_store_api::{Membership, Page, Room, RoomId, StorageAdapter, WriteBatch};
//! use haos_store_sqlite::{SqliteOptions, SqliteStore};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! # let folder = tempfile::tempdir().expect("a folder");
//! # let path = folder.path().join("chat.db");
//! let store = SqliteStore::open(SqliteOptions::new(&path)).await?;
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
//! A plain store can be read with any SQLite shell, through views that [`SqliteStore::make_views`] makes:
//!
//! ```sql
//! SELECT sender, content ->> 'body' FROM messages WHERE room_id = '!lobby' ORDER BY position;
//! ```
//!
//! It is not an encrypted store, not a full-text index, and not for network file systems: the
//! write-ahead log needs shared memory.

mod backend;
mod budget;
mod check;
mod companions;
mod connection;
mod convert;
mod damage;
mod db;
mod error;
mod keys;
mod log;
mod maintain;
mod migration;
mod near;
mod open;
mod options;
mod pages;
mod probe;
mod read;
mod read_only;
mod rotate;
mod rows;
mod salvage;
mod schema;
mod scratch;
mod slot;
mod store;
mod table;
mod usage;
mod writer;

pub use haos_store_api::backend::native::{OnDamage, Profile};
pub use options::SqliteOptions;
pub use store::SqliteStore;
