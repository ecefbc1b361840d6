//! Offline-first chat: rooms and timelines that open at once and stay live, messages that are sent once.

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
    Account, CarriedRows, Chat, Clear, Cleared, Connection, ConnectionSummary, Live, Opening, OutboxList,
    OutboxRow, RecoveryReport, StorageLevel, StorageSummary, SyncProgress,
};
pub use error::{Error, Result};
#[cfg(feature = "http")]
pub use haos_matrix::{ClientOptions, Credentials};
pub use haos_queue::{PauseReason, Protocol, Session, SharedHost, Transport};
pub use haos_store::{
    ErrorKind, EventId, EventType, Json, Membership, OpenOptions, RoomId, Secret, TxnId, UserId,
};
pub use live::{Diff, Diffs, OutOfStep};
pub use room::{Member, Members, Room, RoomDraft, RoomInfo, SavedDraft};
pub use send::{FileInfo, FileSource, Sendable, Upload, UploadProgress};
