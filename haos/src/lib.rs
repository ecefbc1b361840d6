//! The front door of the HAOS offline store: a chat that opens at once, stays live, and works the same with and without
//! a network.
//!
//! Open a chat; no request is made, and what was read before is there:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> haos::Result<()> {
//! use haos::{Chat, Secret};
//!
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let url = format!("sqlite:{}", folder.path().join("chat.db").display());
//! let chat = Chat::open(&url).secret(Secret::passphrase("red green blue")).await?;
//! # chat.close().await }
//! ```
//!
//! Log in, list rooms, and follow them:
//!
//! ```no_run
//! # #[cfg(feature = "http")]
//! # async fn example(chat: haos::Chat, password: String) -> haos::Result<()> {
//! use haos::{Credentials, RoomFilter};
//!
//! chat.login("example.org", Credentials::password("ada", password)).await?;
//! let (mut rooms, mut diffs) = chat.rooms(RoomFilter::joined()).subscribe().await?;
//! while let Some(steps) = diffs.next().await? {
//!     steps.into_iter().try_for_each(|step| step.apply(&mut rooms)).expect("the steps fit the list");
//!     if let Some(first) = rooms.first() {
//!         println!("{} rooms, first {}", rooms.len(), first.name);
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! Show a timeline, page through it, follow it:
//!
//! ```no_run
//! # async fn example(chat: haos::Chat, id: haos::RoomId, event: haos::EventId) -> haos::Result<()> {
//! let timeline = chat.room(&id).timeline(50).await?;
//! let (items, mut diffs) = timeline.subscribe().await?;
//! timeline.older(50).await?; // fetches what is missing, if there is a network
//! timeline.around(&event, 50).await?;
//! let steps = diffs.next().await?; // both as insertions into `items`, or as another list
//! # drop((items, steps));
//! # Ok(()) }
//! ```
//!
//! Send, edit, react, take back, try again. Each is on the disk when the call returns, and sent once:
//!
//! ```no_run
//! # async fn example(room: haos::Room, timeline: haos::Timeline, item: haos::TimelineItem) -> haos::Result<()> {
//! use haos::Text;
//!
//! room.send("hello").await?;
//! # if let haos::TimelineItemKind::Event(event) = &item.kind {
//! room.send(Text::new("what do you mean?").reply_to(&event.event_id)).await?;
//! # }
//! timeline.edit(&item, "hello, all").await?;
//! timeline.react(&item, "👍").await?;
//! timeline.redact(&item, None).await?;
//! timeline.retry(&item).await?;
//! # Ok(()) }
//! ```
//!
//! Send a file, mark as read, keep a draft, clear the cache:
//!
//! ```no_run
//! # #[cfg(not(target_arch = "wasm32"))]
//! # async fn example(chat: haos::Chat, room: haos::Room, event: haos::EventId) -> haos::Result<()> {
//! use haos::{Clear, FileInfo};
//!
//! let upload = room.send_file(std::path::Path::new("photo.jpg"), FileInfo::guess()).await?;
//! println!("{:?}", upload.progress().now().await?);
//! room.mark_read(&event).await?;
//! room.draft().set("not finished").await?;
//! chat.clear(Clear::Media).await?;
//! # Ok(()) }
//! ```
//!
//! # Live lists
//!
//! Rooms, timelines and the outbox are lists that [`Diffs`] keep up to date: a mirror that applies every [`Diff`] is the
//! list as the store has it. Nothing is queued for a subscriber: it compares what it has with the latest reading, so that
//! a slow one takes all in one step. An item keeps its id for life, so that a screen neither flickers nor jumps when the
//! server takes a message.
//!
//! # Features
//!
//! `sqlite`, `sled`, `idb` (in browsers) and `memory` are the stores, and `http` the connection to Matrix homeservers: on
//! by default. Without `http`, or beside it, a chat runs over [a transport of one's own](Opening::transport). Off by
//! default are `html` (formatted messages made safe to show), `markdown` and `thumbnails` (of pictures that are sent;
//! natively), and `e2ee` (encrypted rooms; it needs Rust 1.93).

mod act;
mod base;
mod chat;
pub mod content;
mod error;
pub mod live;
mod room;
mod send;

#[cfg(feature = "http")]
pub use chat::NewRoom;
pub use chat::{
    Account, CarriedRows, Chat, Clear, Connection, ConnectionSummary, Live, Opening, OutboxList, OutboxRow,
    RecoveryReport, StorageLevel, StorageSummary, SyncProgress,
};
pub use content::{Content, Text};
pub use error::{Error, Result};
#[cfg(feature = "http")]
pub use haos_matrix::{Client, ClientOptions, Credentials};
#[cfg(feature = "e2ee")]
pub use haos_matrix::{Device, DeviceList, KeyCode};
pub use haos_queue::pressure::Cleared;
pub use haos_queue::{About, Acted, Enqueued, PauseReason, Protocol, Session, SharedHost, Transport};
pub use haos_store::{
    ErrorKind, EventId, EventType, Json, Membership, OpenOptions, RoomId, Secret, TxnId, UserId,
};
pub use live::rooms::{RoomFilter, RoomItem, RoomList};
pub use live::timeline::{Timeline, TimelineItem, TimelineItemKind};
pub use live::{Diff, Diffs, OutOfStep};
pub use room::{Member, Members, Room, RoomDraft, RoomInfo, SavedDraft};
pub use send::{FileInfo, FileSource, Sendable, Upload, UploadProgress};
