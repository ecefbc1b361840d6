//! The contract between the store's users and its backends.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    ByteRange, Changes, Commit, Error, ErrorKind, EventId, EventType, Gap, KeyChange, Media, MediaInfo,
    MediaKey, MediaQuery, Message, MessageQuery, Page, Pending, PendingQuery, RelationQuery, Result,
    Revision, Room, RoomId, RoomQuery, Scope, Slice, StateEntry, StateQuery, WriteBatch,
};

/// `Send + Sync` natively; no bound on wasm, where everything lives in one thread.
#[cfg(not(target_arch = "wasm32"))]
pub trait MaybeSend: Send + Sync {}
#[cfg(not(target_arch = "wasm32"))]
impl<T: Send + Sync + ?Sized> MaybeSend for T {}
/// `Send + Sync` natively; no bound on wasm, where everything lives in one thread.
#[cfg(target_arch = "wasm32")]
pub trait MaybeSend {}
#[cfg(target_arch = "wasm32")]
impl<T: ?Sized> MaybeSend for T {}

/// A store: one write, a few reads, a life cycle.
///
/// Every read sees whole commits only. A list leaves out a damaged row and counts it ([`StoreInfo::damaged`]), so that
/// one row does not refuse the others; asked for alone, it is `Corrupt`. Only the outbox is refused as a whole, since
/// an unsent message must not seem to be gone, unless [`PendingQuery::skip_damaged`] asks for its readable rows. An
/// absent row is `Ok(None)` or an empty list. A call may be dropped at any moment: a batch whose `apply` was dropped is
/// applied whole or not at all. Backends hold rows; [`crate::law`] says what a write means.
#[cfg_attr(not(target_arch = "wasm32"), async_trait)]
#[cfg_attr(target_arch = "wasm32", async_trait(?Send))]
pub trait StorageAdapter: MaybeSend + fmt::Debug {
    /// Applies a batch: all of it or nothing.
    ///
    /// # Errors
    /// `Conflict` if a precondition fails or a position is taken, `Invalid` for input that breaks the
    /// contract, `Busy`, `Full`, `Io`; `Closed` after a commit whose outcome is unknown.
    async fn apply(&self, batch: WriteBatch) -> Result<Commit>;

    /// Reads one room.
    async fn room(&self, id: &RoomId) -> Result<Option<Room>>;

    /// Reads rooms, latest activity first.
    async fn rooms(&self, query: RoomQuery) -> Result<Vec<Room>>;

    /// Reads one message.
    async fn message(&self, room: &RoomId, event: &EventId) -> Result<Option<Message>>;

    /// Reads part of a timeline: messages and gaps.
    async fn timeline(&self, room: &RoomId, page: Page) -> Result<Slice>;

    /// Reads parts of several timelines, in the order of the pages, each as [`timeline`](Self::timeline) does: for a list
    /// of rooms. A backend reads them at one go, and of one commit, where that costs less. Who wraps a store and changes
    /// `timeline` changes this as well.
    async fn timelines(&self, pages: Vec<(RoomId, Page)>) -> Result<Vec<Slice>> {
        let mut slices = Vec::with_capacity(pages.len());
        for (room, page) in pages {
            slices.push(self.timeline(&room, page).await?);
        }
        Ok(slices)
    }

    /// Reads all gaps of a room, oldest first: the work of a background fill.
    async fn gaps(&self, room: &RoomId) -> Result<Vec<Gap>>;

    /// Counts a room's messages, or those newer than the given one (0 if it is not stored).
    async fn count(&self, room: &RoomId, newer_than: Option<&EventId>) -> Result<u64>;

    /// Reads the messages that relate to others, in timeline order.
    async fn related(&self, query: RelationQuery) -> Result<Vec<Message>>;

    /// Reads messages by id, transaction, sender or time.
    async fn messages(&self, query: MessageQuery) -> Result<Vec<Message>>;

    /// Reads outbox rows, by sequence number.
    async fn pending(&self, query: PendingQuery) -> Result<Vec<Pending>>;

    /// Reads a range of a media item's bytes. A read is no use of the item: see `touch_media`.
    async fn media(&self, key: &MediaKey, range: ByteRange) -> Result<Option<Media>>;

    /// Reads media items without their bytes.
    async fn media_index(&self, query: MediaQuery) -> Result<Vec<MediaInfo>>;

    /// Reads state entries, by (kind, key), or a page of one kind (see [`StateQuery`]).
    ///
    /// # Errors
    /// `Invalid` for a page of several kinds, or of one key.
    async fn state(&self, query: StateQuery) -> Result<Vec<StateEntry>>;

    /// Reads several lists of state entries, in the order of the queries: for who needs a little of many rooms. A
    /// backend reads them at one go, and of one commit, where that costs less. A damaged entry is left out and counted,
    /// also where it is asked for alone. Who wraps a store and changes `state` changes this as well.
    async fn states(&self, queries: Vec<StateQuery>) -> Result<Vec<Vec<StateEntry>>> {
        let mut lists = Vec::with_capacity(queries.len());
        for query in queries {
            lists.push(match self.state(query).await {
                Err(error) if error.kind() == ErrorKind::Corrupt => Vec::new(),
                list => list?,
            });
        }
        Ok(lists)
    }

    /// Counts the state entries of a kind, damaged ones too, without reading them.
    async fn count_state(&self, scope: &Scope, kind: &EventType) -> Result<u64>;

    /// Counts rows and bytes of each collection.
    async fn usage(&self) -> Result<Usage>;

    /// Takes a view of one commit, the latest: a store that is only read, and whose reads all see that commit while
    /// this store goes on. [`StoreInfo::opened_at`] of it is that commit's revision, [`StoreInfo::damaged`] counts its
    /// own reads, and its feed is empty. It ends when it is dropped or closed, and with this store.
    ///
    /// It costs as long as it lives: the log of a SQLite store grows with what is written meanwhile, sled keeps the
    /// replaced rows in memory, and a store in memory all rows of that commit. So take it for a task, such as a backup,
    /// and not for a screen.
    ///
    /// # Errors
    /// `Unsupported` where the backend has no such view, as IndexedDB, whose transactions end by themselves.
    async fn snapshot(&self) -> Result<Arc<dyn StorageAdapter>> {
        let message =
            "this backend gives no view of one commit: follow `changes` and read again what they name";
        Err(Error::new(ErrorKind::Unsupported, "snapshot", message))
    }

    /// Runs a chore. It can be cut off at any moment and started again.
    async fn maintain(&self, task: Maintenance, progress: Progress) -> Result<Report>;

    /// Changes who can open a sealed store. Touches no row: it takes milliseconds at any size.
    ///
    /// # Errors
    /// `NotSealed` for a plain store, `Invalid` for a change that cannot be made, `Unsupported` where
    /// stores are never sealed.
    async fn change_keys(&self, change: KeyChange) -> Result<()> {
        let _ = change;
        let message = "this backend keeps no keys";
        Err(Error::new(ErrorKind::Unsupported, "keys", message))
    }

    /// Describes this store and the damage found when it was opened.
    fn info(&self) -> StoreInfo;

    /// Subscribes to the change feed.
    fn changes(&self) -> Changes;

    /// Releases every lock and handle until `resume`, as mobile systems require before they freeze an application.
    /// Calls in between fail with `Closed`.
    async fn suspend(&self) -> Result<()>;

    /// Undoes `suspend`.
    async fn resume(&self) -> Result<()>;

    /// Finishes all accepted work and closes for good. Idempotent.
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

    /// Returns its name in reports and on disk.
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

    /// Returns its number in a payload's binding; part of the format.
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

/// The size of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Rows and bytes of each collection, in the order of [`Collection::ALL`].
    pub collections: Vec<(Collection, Size)>,
    /// Bytes on disk in all, free pages included; for memory, the bytes of the rows.
    pub total_bytes: u64,
    /// Bytes that a compaction would give back.
    pub free_bytes: u64,
    /// The platform's quota, if known.
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

/// A chore, which [`maintain`](StorageAdapter::maintain) runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Maintenance {
    /// Gives free space back.
    Compact,
    /// Reads every row and checks it as far as possible.
    Check,
    /// Gives a sealed store a new data key, seals every row under it and drops the old key. Reads and writes go on
    /// meanwhile. An interrupted rotation resumes at the next call.
    Rotate,
}

/// The outcome of a chore.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The defects found; empty for a healthy store. [`Report::find`] bounds the list.
    pub findings: Vec<String>,
    /// The number of findings beyond those listed.
    pub more_findings: u64,
    /// The rows read.
    pub rows: u64,
    /// The bytes given back.
    pub freed_bytes: u64,
    /// Damaged copies that were set aside and lie beside the store. A conversion leaves them as they are: those beside
    /// a newly sealed store may be plain.
    pub set_aside: Vec<String>,
}

impl Report {
    /// The most findings that are listed: a file from elsewhere may cause any number.
    pub const MOST_FINDINGS: usize = 100;

    /// Records a finding.
    pub fn find(&mut self, finding: impl fmt::Display) {
        if self.findings.len() < Self::MOST_FINDINGS {
            self.findings.push(finding.to_string());
        } else {
            self.more_findings += 1;
        }
    }
}

/// Reports progress as done and total, in the chore's own unit.
#[derive(Clone, Default)]
pub struct Progress(Option<Arc<dyn ProgressFn>>);

/// A listener to progress.
pub trait ProgressFn: Fn(u64, u64) + MaybeSend {}
impl<F: Fn(u64, u64) + MaybeSend> ProgressFn for F {}

impl Progress {
    /// Reports to nobody.
    pub fn none() -> Self {
        Self(None)
    }

    /// Reports (done, total) to `listener`.
    pub fn to(listener: impl ProgressFn + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Reports a step.
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

/// The description of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// The backend's name, such as `sqlite`.
    pub backend: &'static str,
    /// The version of its format.
    pub format: u32,
    /// Its location, if it has one.
    pub location: Option<String>,
    /// True if it outlives the process.
    pub persistent: bool,
    /// True if its rows are sealed.
    pub sealed: bool,
    /// True if other processes may open it at the same time.
    pub shared: bool,
    /// True if a browser may erase it when the device is short of space; `recovery` reports the erasure at the next
    /// opening.
    pub evictable: bool,
    /// True if it can only be read; a write fails with [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly).
    pub read_only: bool,
    /// The revision at opening.
    pub opened_at: Revision,
    /// The damage found at opening.
    pub recovery: Option<Recovery>,
    /// Copies of the store that were set aside as damaged, now or earlier, and still exist. They hold the store's
    /// content of that time, under its secrets of that time; [`KeyChange::Shred`] removes them.
    pub set_aside: Vec<String>,
    /// The number of times that a list left out an unreadable row. If it is not zero, run [`Maintenance::Check`], which
    /// names each.
    pub damaged: u64,
}

/// The outcome of opening a damaged store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The path of the damaged store that was set aside; absent if the store is used as it was found, with the loss
    /// that `cause` names.
    pub set_aside: Option<String>,
    /// Outbox rows carried over.
    pub salvaged: u64,
    /// Outbox rows that were found but not readable; they are still in the copy set aside.
    pub unreadable: u64,
    /// What became of each collection, in the order of [`Collection::ALL`]; empty if nothing had to be carried over.
    pub collections: Vec<(Collection, CarriedOver)>,
    /// True if nothing is missing: what was damaged had a copy. Else a sync brings what was lost, but for what was
    /// unsent.
    pub is_whole: bool,
    /// The defect.
    pub cause: String,
}

/// The rows of a collection of a damaged store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CarriedOver {
    /// The rows that were carried over.
    pub rows: u64,
    /// The rows that are known to be unreadable; there may be more of which nothing tells any more. They are still in
    /// the copy set aside.
    pub unreadable: u64,
}
