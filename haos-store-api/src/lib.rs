//! The storage contract of the HAOS offline store: rooms, messages, outbox, media and state behind one
//! adapter.
//!
//! ```
//! use haos_store_api::{
//!     EventId, EventType, Json, Membership, MemoryStore, Message, Page, Position, Room, RoomId,
//!     StorageAdapter, UserId, WriteBatch,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos_store_api::Result<()> {
//! let store = MemoryStore::new();
//! let room = RoomId::new("!lobby")?;
//!
//! let mut batch = WriteBatch::relaxed();
//! batch.put_room(Room::new(room.clone(), Membership::Join)).put_message(Message {
//!     room: room.clone(),
//!     id: EventId::new("$hello")?,
//!     position: Position::FIRST,
//!     sender: UserId::new("@ada:example.org")?,
//!     timestamp_ms: 1_795_362_779_000,
//!     kind: EventType::new("m.room.message")?,
//!     state_key: None,
//!     content: Json::new(r#"{"body":"hello"}"#)?,
//!     relation: None,
//!     txn_id: None,
//!     redacted_by: None,
//!     provisional: false,
//!     extra: None,
//! });
//! store.apply(batch).await?;
//!
//! let slice = store.timeline(&room, Page::newest(50)).await?;
//! assert_eq!(slice.messages().next().and_then(|m| m.content.text("body")).as_deref(), Some("hello"));
//! # Ok(()) }
//! ```
//!
//! It is not a chat client and knows no protocol: ids are opaque, content is JSON text, and the sync engine assigns
//! positions (see `haos-queue`).

mod adapter;
pub mod backend;
mod batch;
mod change;
#[cfg(feature = "conformance")]
pub mod conformance;
mod entity;
mod error;
mod ext;
mod forward;
mod id;
mod json;
mod memory;
mod page;
mod position;
mod query;
mod secret;
pub mod state_kind;
mod surrogate;
pub mod view;

pub use adapter::{
    CarriedOver, Collection, Maintenance, MaybeSend, Progress, ProgressFn, Recovery, Report, Size,
    StorageAdapter, StoreInfo, Usage,
};
pub(crate) use backend::*;
pub use batch::{Commit, Durability, MediaPolicy, Op, Precondition, Prune, Redact, WriteBatch};
pub use change::{Change, Changes, Touched};
pub use entity::{
    Gap, Lease, Media, MediaInfo, MediaKey, Membership, Message, ParkReason, Pending, PendingState, Relation,
    RelationKind, Revision, Room, Scope, StateEntry, Unread,
};
pub use error::{Error, ErrorKind, Result};
pub use ext::StorageAdapterExt;
pub use forward::StoreFuture;
pub use id::{EventId, EventType, MAX_ID_BYTES, MediaFormat, MediaUri, RoomId, StateKey, TxnId, UserId};
pub use json::{Json, MAX_JSON_DEPTH};
pub use memory::MemoryStore;
pub use page::{Cursor, Direction, Item, Page, Slice, Start};
pub use position::Position;
pub use query::{
    ByteRange, MediaQuery, MessageQuery, PendingQuery, RelationQuery, RoomCursor, RoomQuery, StateQuery,
};
pub use secret::{KdfLimits, KdfParams, KeyChange, Padding, Secret};
pub use surrogate::without_lone_surrogates;
pub use view::{MessageView, Reactions, View, ViewItem};
