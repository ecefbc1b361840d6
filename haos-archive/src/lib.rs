//! Backup of any HAOS store into one archive, and its reader.
//!
//! ```
//! use std::io::Cursor;
//!
//! use haos_archive::{Archive, Backup, Encryption, Identity, Record};
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
//! for record in archive.records() {
//!     if let Record::Rooms(rooms) = record? {
//!         assert_eq!(rooms[0].id.as_str(), "!lobby");
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! An archive is zstd over framed rows, in one order for every backend, and optionally an age file around that
//! (`docs/format.md`, "Archives"). It has every row of one commit: rooms, state, timelines with their gaps, media and the
//! outbox. It is written and read in memory that does not grow with the store's rows, while the store is in use.
//!
//! - An interrupted [`Backup`] is resumed, and an incremental one leaves out what earlier archives have.
//! - The login is left out of a plain archive ([`Backup::session`]): its access token lets anybody act as the user.
//! - A sealed store's archive is plain unless it is encrypted: the store's keys have no part in it.
//!
//! It is no format to work on: a store is opened, an archive is restored into one.

mod crypt;
pub mod export;
mod format;
mod input;
mod read;
mod record;
mod summary;
mod write;

pub use crypt::{Encryption, Identity};
pub use format::ArchiveId;
pub use input::Source;
pub use read::{Archive, Records};
pub use record::Record;
pub use summary::Summary;
pub use write::Backup;
