//! A store's rows page by page, for a backup and for a copy, and the number of those that it cannot read.

use std::collections::BTreeSet;

use haos_store_api::{
    Error, ErrorKind, Pending, PendingQuery, Result, Room, RoomCursor, RoomId, RoomQuery, Slice,
    StorageAdapter, TxnId,
};

/// The media bytes that are read at once.
pub(crate) const PORTION: u64 = 256 << 10;
/// The most rows of a page, and the fewest of a timeline's: a store gives a page at once.
const ROWS: std::ops::RangeInclusive<usize> = 4..=256;
/// The rows of the outbox's pages.
const PENDING: usize = 64;

/// The rooms of a store that may be in use.
#[derive(Debug, Default)]
pub(crate) struct RoomPages {
    after: Option<RoomCursor>,
    /// The rooms that were given.
    pub(crate) seen: BTreeSet<RoomId>,
}

impl RoomPages {
    /// Reads the next page: the rooms in it that were not given before, since a room may move behind the page. At the
    /// end of the list there is none, and the next call begins again.
    pub(crate) async fn next<S: StorageAdapter + ?Sized>(&mut self, store: &S) -> Result<Option<Vec<Room>>> {
        let query = RoomQuery { after: self.after.take(), ..RoomQuery::latest(*ROWS.end()) };
        let mut rooms = store.rooms(query).await?;
        let Some(last) = rooms.last() else { return Ok(None) };
        self.after = Some(RoomCursor::from(last));
        rooms.retain(|room| self.seen.insert(room.id.clone()));
        Ok(Some(rooms))
    }
}

/// The outbox of a store that may be in use, without the rows that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct OutboxPages {
    after_seq: u64,
    seen: BTreeSet<TxnId>,
}

impl OutboxPages {
    /// Reads the next rows; none at the end. A row that goes and comes again at the end meanwhile is given once.
    pub(crate) async fn next<S: StorageAdapter + ?Sized>(&mut self, store: &S) -> Result<Vec<Pending>> {
        let after_seq = self.after_seq;
        let query = PendingQuery { after_seq, limit: PENDING, skip_damaged: true, ..PendingQuery::default() };
        let mut rows = store.pending(query).await?;
        self.after_seq = rows.last().map_or(after_seq, |row| row.seq);
        rows.retain(|row| self.seen.insert(row.txn_id.clone()));
        Ok(rows)
    }
}

/// The rows of a timeline's next page: few where they are long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PageSize(pub(crate) usize);

impl Default for PageSize {
    fn default() -> Self {
        Self(16)
    }
}

impl PageSize {
    /// Returns the size of the page after this one.
    pub(crate) fn after(self, slice: &Slice) -> Self {
        /// Bytes of a page below which the next has more rows, and above which it has fewer.
        const SHORT: usize = 128 << 10;
        const LONG: usize = 512 << 10;
        let bytes: usize = slice.messages().map(|message| message.content.as_str().len()).sum();
        Self(match bytes {
            ..SHORT => (self.0 * 2).min(*ROWS.end()),
            LONG.. => (self.0 / 4).max(*ROWS.start()),
            _ => self.0,
        })
    }
}

/// Returns what was read; nothing if it is there and cannot be read.
///
/// # Errors
/// Those of the store that are of another kind.
pub(crate) fn unless_damaged<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if is_damage(&error) => {
            tracing::warn!(%error, "what cannot be read is left out");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn is_damage(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::WrongKey)
}
