//! The one dependency a frontend adds: a store by url, and what it is capable of.
//!
//! ```
//! use haos_store::{Membership, Page, Room, RoomId, StorageAdapter, WriteBatch};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let path = folder.path().join("chat.db");
//! let opened = haos_store::open(&format!("sqlite:{}", path.display())).await?;
//! assert!(opened.capabilities.persistent);
//!
//! let room = RoomId::new("!lobby")?;
//! let mut batch = WriteBatch::relaxed();
//! batch.put_room(Room::new(room.clone(), Membership::Join));
//! opened.store.apply(batch).await?;
//! assert!(opened.store.timeline(&room, Page::newest(50)).await?.items.is_empty());
//! opened.store.close().await?;
//! # Ok(()) }
//! ```
//!
//! A store is plain, or sealed: then it opens with a passphrase or a key, and the file alone says nothing
//! of what was written.
//!
//! ```
//! use haos_store::{ErrorKind, OpenOptions, Secret, open_with};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let url = format!("sqlite:{}", folder.path().join("chat.db").display());
//! let sealed = OpenOptions { secret: Some(Secret::passphrase("red green blue")), ..Default::default() };
//! let opened = open_with(&url, &sealed).await?;
//! assert!(opened.capabilities.sealed);
//! opened.store.close().await?;
//! assert_eq!(haos_store::open(&url).await.unwrap_err().kind(), ErrorKind::Sealed);
//! # Ok(()) }
//! ```
//!
//! [`seal`] and [`unseal`] convert a store that is there; `StorageAdapter::change_keys` changes who can
//! open it, and [`Maintenance::Rotate`] gives it a new data key.
//!
//! It is not a backend: it picks one. Whatever it opens is used through
//! [`StorageAdapter`], so an application that may have to fall back
//! asks [`Capabilities`] and not the name.
//!
//! # Features
//!
//! `sqlite`, `sled` and `memory` are the backends of that name, and `idb` is IndexedDB. All are on by default, and the
//! target picks: `idb` is there in browsers alone, `sqlite` and `sled` everywhere else. A backend that is missing is told as
//! `Unsupported`, with the one to use instead. `copy`, off by default, brings a store into one of another backend.

mod backend;
mod capability;
mod convert;
mod open;
mod url;

pub use capability::Capabilities;
pub use convert::{seal, unseal};
#[cfg(feature = "copy")]
#[doc(inline)]
pub use haos_archive::{MoveOptions, Moved, RestoreOptions, Restored, copy, move_store};
#[doc(inline)]
pub use haos_store_api::{
    ByteRange, CarriedOver, Change, Changes, Collection, Commit, Cursor, Direction, Durability, Error,
    ErrorKind, EventId, EventType, Gap, Item, Json, KdfLimits, KdfParams, KeyChange, Lease, MAX_ID_BYTES,
    MAX_JSON_DEPTH, Maintenance, MaybeSend, Media, MediaFormat, MediaInfo, MediaKey, MediaPolicy, MediaQuery,
    MediaUri, Membership, MemoryStore, Message, MessageQuery, MessageView, Op, Padding, Page, ParkReason,
    Pending, PendingQuery, PendingState, Position, Precondition, Progress, ProgressFn, Prune, Reactions,
    Recovery, Redact, Relation, RelationKind, RelationQuery, Report, Result, Revision, Room, RoomCursor,
    RoomId, RoomQuery, Scope, Secret, Size, Slice, Start, StateEntry, StateKey, StateQuery, StorageAdapter,
    StorageAdapterExt, StoreInfo, Touched, TxnId, Unread, Usage, UserId, View, ViewItem, WriteBatch,
    state_kind, view,
};
pub use open::{OpenOptions, Opened, open, open_with};
pub use url::{SCHEMES, Scheme};
