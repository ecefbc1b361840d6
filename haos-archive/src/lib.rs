//! Backup, restore, move and export of any HAOS store.
//!
//! ```
//! use std::io::Cursor;
//!
//! use haos_archive::{Archive, Backup, Encryption, Identity, Restore, RestoreOptions};
//! use haos_store_api::{Membership, MemoryStore, Room, RoomId, StorageAdapter, WriteBatch};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! let store = MemoryStore::new();
//! let mut batch = WriteBatch::relaxed();
//! batch.put_room(Room::new(RoomId::new("!lobby")?, Membership::Join));
//! store.apply(batch).await?;
//!
//! let (secret, recipient) = Identity::generate();
//! let mut file = Vec::new();
//! let encryption = Encryption::recipients([recipient.as_str()])?;
//! Backup::new().encryption(encryption).run(&store, &mut file).await?;
//!
//! let identity = Identity::keys([secret.as_str()])?;
//! let mut archive = Archive::open(vec![Box::new(Cursor::new(file))], Some(&identity))?;
//! let other = MemoryStore::new();
//! let mut restore = Restore::into(&other, RestoreOptions::default()).await?;
//! for record in archive.records() {
//!     restore.take(record?).await?;
//! }
//! restore.finish().await?;
//! assert!(other.room(&RoomId::new("!lobby")?).await?.is_some());
//! # Ok(()) }
//! ```
//!
//! - [`Backup`] writes every row of one commit, while the store is in use: rooms, state, timelines with their gaps, media
//!   and the outbox. The archive is zstd over framed rows, in one order for every backend, and optionally an age file
//!   around that (`docs/format.md`, "Archives"). An interrupted backup is resumed, and an incremental one leaves out what
//!   earlier archives have.
//! - [`Restore`] merges records into a store by the laws, so that restoring twice changes nothing and neither side loses
//!   anything.
//! - [`copy`] and [`move_store`] do so from store to store; an unsent message is sent by one of them.
//! - [`export`] writes rooms for people.
//!
//! All of that works in memory that does not grow with the store's rows.
//!
//! The login is left out of a plain archive ([`Backup::session`]): its access token lets anybody act as the user. A
//! sealed store's archive is plain unless it is encrypted: the store's keys have no part in it.

mod copy;
mod crypt;
pub mod export;
mod format;
mod handover;
mod input;
mod kinds;
mod pages;
mod read;
mod record;
mod restore;
mod summary;
mod walk;
mod write;

pub use copy::{copy, move_store};
pub use crypt::{Encryption, Identity};
pub use format::ArchiveId;
pub use handover::{MoveOptions, Moved, move_outbox};
pub use input::Source;
pub use kinds::{RESTORING, TAKEN};
pub use read::{Archive, Records};
pub use record::Record;
pub use restore::{Counts, Outbox, Reason, Restore, RestoreOptions, Restored};
pub use summary::Summary;
pub use write::Backup;
