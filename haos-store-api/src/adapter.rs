//! The contract between the store's users and its backends.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    ByteRange, Changes, Commit, Error, ErrorKind, EventId, Gap, KeyChange, Media, MediaInfo, MediaKey,
    MediaQuery, Message, MessageQuery, Page, Pending, PendingQuery, RelationQuery, Result, Revision, Room,
    RoomId, RoomQuery, Slice, StateEntry, StateQuery, WriteBatch,
};

/// `Send + Sync` natively, nothing on wasm, where everything lives in one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> MaybeSend for T {}
/// `Send + Sync` natively, nothing on wasm, where everything lives in one thread.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// A store: one write, a few reads, a life cycle.
///
/// Every read sees whole commits only. A list leaves out a damaged row and counts it
/// ([`StoreInfo::damaged`]), so that one row does not refuse the others; asked for alone, it is `Corrupt`.
/// The outbox alone is refused as a whole, since an unsent message must not seem to be gone, unless
/// [`PendingQuery::skip_damaged`] asks for what can be read. Absent is `Ok(None)` or an empty list. A call
/// may be dropped at any moment: a batch whose `apply` was dropped is applied whole or not at all. Backends
/// hold rows; what a write means is in [`crate::law`].
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait StorageAdapter: MaybeSend + fmt::Debug {
    /// Applies a batch: all of it or nothing.
    ///
    /// # Errors
    /// `Conflict` if a precondition fails or a position is taken, `Invalid` for input that breaks the
    /// contract, `Busy`, `Full`, `Io`; `Closed` after a commit whose outcome is unknown.
    async fn apply(&self, batch: WriteBatch) -> Result<Commit>;

    /// One room.
    async fn room(&self, id: &RoomId) -> Result<Option<Room>>;

    /// Rooms, latest activity first.
    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>>;

    /// One message.
    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;

    /// Part of a timeline: messages and gaps.
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice>;

    /// All gaps of a room, oldest first: what a background fill has to do.
    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>>;

    /// How many messages a room has, or how many are newer than the given one (none if it is not stored).
    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;

    /// Messages that relate to others, in timeline order.
    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>>;

    /// Messages by id, transaction, sender or time.
    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>>;

    /// Outbox rows, by sequence number.
    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>>;

    /// A range of a media item's bytes. Reading does not count as use: see `touch_media`.
    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;

    /// Media items without their bytes.
    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>>;

    /// State entries, by (kind, key).
    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>>;

    /// Rows and bytes a collection.
    async fn usage(&self) -> Result<Usage>;

    /// Runs a chore. It can be cut off at any moment and started again.
    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report>;

    /// Changes who can open a sealed store. No row is touched: it takes milliseconds at any size.
    ///
    /// # Errors
    /// `NotSealed` for a plain store, `Invalid` for a change that cannot be made, `Unsupported` where
    /// stores are never sealed.
    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let _ = change;
        let message = "this backend keeps no keys";
        Err(Error::new(ErrorKind::Unsupported, "keys", message))
    }

    /// What this store is and what it found when it was opened.
    fn info(&self) -> StoreInfo;

    /// The change feed.
    fn changes(&self) -> Changes;

    /// Releases every lock and handle until `resume`, as mobile systems ask before they freeze an
    /// application. Calls in between fail with `Closed`.
    async fn suspend(&self) -> Result<()>;

    /// Undoes `suspend`.
    async fn resume(&self) -> Result<()>;

    /// Finishes what was accepted and closes, for good. Idempotent.
    async fn close(&self) -> Result<()>;
}

/// A collection of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Collection {
    /// Rooms.
    Rooms,
    /// Messages.
    Messages,
    /// Gaps.
    Gaps,
    /// The outbox.
    Pending,
    /// Media, bytes included.
    Media,
    /// State.
    State,
}

impl Collection {
    /// Every collection.
    pub const ALL: [Self; 6] =
        [Self::Rooms, Self::Messages, Self::Gaps, Self::Pending, Self::Media, Self::State];

    /// Its name in reports and on disk.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Messages => "messages",
            Self::Gaps => "gaps",
            Self::Pending => "pending",
            Self::Media => "media",
            Self::State => "state",
        }
    }

    /// Its number in what payloads are bound to; part of the format.
    pub(crate) fn tag(self) -> u8 {
        match self {
            Self::Rooms => 1,
            Self::Messages => 2,
            Self::Gaps => 3,
            Self::Pending => 4,
            Self::Media => 5,
            Self::State => 6,
        }
    }
}

/// What a store holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Rows and bytes of each collection, in the order of [`Collection::ALL`].
    pub collections: Vec<(Collection, Size)>,
    /// Bytes on disk in all, free pages included; for memory, the bytes of the rows.
    pub total_bytes: u64,
    /// Bytes that a compaction would give back.
    pub free_bytes: u64,
    /// What the platform grants, if it says.
    pub quota_bytes: Option<u64>,
}

/// Rows and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// A chore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Maintenance {
    /// Gives free space back.
    Compact,
    /// Reads every row and checks what can be checked.
    Check,
    /// Gives a sealed store a new data key, seals every row under it and drops the old key. Reads and
    /// writes go on meanwhile. Cut off, it goes on where it was when it is asked for again.
    Rotate,
}

/// What a chore did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found wrong; empty is healthy. [`Report::find`] keeps it short.
    pub findings: Vec<String>,
    /// How many findings there were besides.
    pub more_findings: u64,
    /// Rows looked at.
    pub rows: u64,
    /// Bytes given back.
    pub freed_bytes: u64,
    /// Copies that were set aside as damaged and lie beside the store. A conversion leaves them as they are: beside a
    /// store that was sealed they may be plain.
    pub set_aside: Vec<String>,
}

impl Report {
    /// The most findings that are told one by one: of a file that somebody wrote there may be any number.
    pub const MOST_FINDINGS: usize = 100;

    /// Notes a finding.
    pub fn find(&mut self, finding: impl fmt::Display) {
        if self.findings.len() < Self::MOST_FINDINGS {
            self.findings.push(finding.to_string());
        } else {
            self.more_findings += 1;
        }
    }
}

/// Where progress is told: done and total, in the chore's own unit.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn ProgressFn>>);

/// A function that progress is told to.
pub trait ProgressFn: Fn(u64, u64) + MaybeSend {}
impl<F: Fn(u64, u64) + MaybeSend> ProgressFn for F {}

impl Progress {
    /// Nobody listens.
    pub fn none() -> Self {
        Self(None)
    }

    /// Tells `listener` of (done, total).
    pub fn to(listener: impl ProgressFn + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells it.
    pub fn step(&self, done: u64, total: u64) {
        if let Some(listener) = &self.0 {
            listener(done, total);
        }
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// What a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The backend's name, such as `sqlite`.
    pub backend: &'static str,
    /// The version of its format.
    pub format: u32,
    /// Where it lives, if anywhere.
    pub location: Option<String>,
    /// Whether it outlives the process.
    pub persistent: bool,
    /// Whether rows are sealed.
    pub sealed: bool,
    /// Whether other processes may open it at the same time.
    pub shared: bool,
    /// Whether a browser may erase it when the device is short of space; what it erased is told by `recovery` at the
    /// next opening.
    pub evictable: bool,
    /// Whether it can only be read; a write fails as [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly).
    pub read_only: bool,
    /// The revision when it was opened.
    pub opened_at: Revision,
    /// What was found damaged when it was opened.
    pub recovery: Option<Recovery>,
    /// Copies of the store that were set aside as damaged, now or earlier, and are still there. They hold what the store
    /// held, under the secrets of then; [`KeyChange::Shred`] removes them.
    pub set_aside: Vec<String>,
    /// How often a list left out a row that cannot be read. Not zero: run [`Maintenance::Check`], which
    /// names each.
    pub damaged: u64,
}

/// What became of a damaged store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// Where the damaged store was set aside; none if it could be used as it was found, with what
    /// `cause` says is missing.
    pub set_aside: Option<String>,
    /// Outbox rows carried over.
    pub salvaged: u64,
    /// Outbox rows that could be seen but not read; they are still in what was set aside.
    pub unreadable: u64,
    /// What was wrong.
    pub cause: String,
}
