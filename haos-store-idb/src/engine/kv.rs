//! The engine's demands on a database: one transaction over ordered stores of bytes, and a log.

use futures_util::future::LocalBoxFuture;
use haos_store_api::Result;

/// An object store. Each value begins with its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// Room key: row.
    Rooms,
    /// Room key, place: row of a gap.
    Gaps,
    /// Room key, bucket and more: messages, see [`keys::Segment`](super::keys::Segment).
    Segments,
    /// Room key, number: a block of the ids that find messages, see [`ids`](super::ids).
    Ids,
    /// Transaction key, room key, position: where a message of this transaction was stored.
    Txns,
    /// Sequence number: outbox row.
    Outbox,
    /// Transaction key: sequence number.
    OutboxIds,
    /// Media key: row.
    Media,
    /// Blob number, index: bytes. Never in the log: a commit writes them beside its record.
    Chunks,
    /// Scope key, kind key, entry key: row of a state entry.
    State,
}

impl Table {
    /// In the order of their declaration.
    pub(crate) const ALL: [Self; 10] = [
        Self::Rooms,
        Self::Gaps,
        Self::Segments,
        Self::Ids,
        Self::Txns,
        Self::Outbox,
        Self::OutboxIds,
        Self::Media,
        Self::Chunks,
        Self::State,
    ];

    /// Returns the name of its object store.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Gaps => "gaps",
            Self::Segments => "segments",
            Self::Ids => "ids",
            Self::Txns => "txns",
            Self::Outbox => "outbox",
            Self::OutboxIds => "outbox_ids",
            Self::Media => "media",
            Self::Chunks => "chunks",
            Self::State => "state",
        }
    }

    /// Returns the length of its keys, which its values begin with.
    pub(crate) const fn key_bytes(self) -> usize {
        match self {
            Self::Rooms | Self::OutboxIds | Self::Media | Self::Chunks => 16,
            Self::Gaps => 21,
            Self::Segments => 27,
            Self::Ids => 20,
            Self::Txns => 37,
            Self::Outbox => 8,
            Self::State => 48,
        }
    }

    /// Returns the table of a byte of a log record.
    pub(crate) fn of(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// A range of keys, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) low: Vec<u8>,
    pub(crate) high: Vec<u8>,
}

impl Span {
    pub(crate) fn new(low: impl Into<Vec<u8>>, high: impl Into<Vec<u8>>) -> Self {
        Self { low: low.into(), high: high.into() }
    }

    /// Spans every key that begins with `prefix`; keys are shorter than the prefix and 64 bytes more.
    pub(crate) fn prefix(prefix: &[u8]) -> Self {
        Self::new(prefix, [prefix, &[0xff; 64]].concat())
    }

    pub(crate) fn has(&self, key: &[u8]) -> bool {
        self.low.as_slice() <= key && key <= self.high.as_slice()
    }
}

/// An answer on its way. The request was fired when the method was called: waiting for each in turn costs no more than
/// waiting for the last.
pub(crate) type Answer<T> = LocalBoxFuture<'static, Result<T>>;

/// Waits for all of them.
pub(crate) async fn all<T>(answers: Vec<Answer<T>>) -> Result<Vec<T>> {
    let mut all = Vec::with_capacity(answers.len());
    for answer in answers {
        all.push(answer.await?);
    }
    Ok(all)
}

/// One transaction. What it writes counts once the whole transaction is committed, and only if it is.
pub(crate) trait Kv {
    /// Reads one of the store's few named records.
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>>;
    /// Reads a value.
    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>>;
    /// Reads the values of a range, by key, up to `limit`.
    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>>;
    /// Reads the keys of a range, in order.
    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>>;
    /// Reads the value of the greatest key of a range.
    fn last(&self, table: Table, span: &Span) -> Answer<Option<Vec<u8>>>;
    /// Reads the records of the log after a number, in order.
    fn log(&self, after: u64) -> Answer<Vec<Vec<u8>>>;

    /// Writes a value. A failure fails the transaction, as with every write here.
    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()>;
    /// Writes a record with a name.
    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()>;
    /// Deletes a record with a name; does nothing if it is absent.
    fn delete_named(&self, name: &'static str) -> Result<()>;
    /// Deletes a record.
    fn delete(&self, table: Table, key: &[u8]) -> Result<()>;
    /// Deletes the records of a range.
    fn clear(&self, table: Table, span: &Span) -> Result<()>;
    /// Adds a record to the log, and tells its number: the one after the last that was ever added, also if that is
    /// deleted by now.
    fn add(&self, record: &[u8]) -> Answer<u64>;
    /// Adds a record to the log under a number, which must be free.
    fn add_as(&self, number: u64, record: &[u8]) -> Result<()>;
    /// Deletes the records of the log up to a number, included.
    fn trim(&self, last: u64) -> Result<()>;
    /// Deletes the records of the log from a number on.
    fn trim_from(&self, first: u64) -> Result<()>;
}

/// The named record with the store's counters, as of the latest fold.
pub(crate) const HEAD: &str = "head";
/// The named record with the keyring of a sealed store.
pub(crate) const KEYRING: &str = "keyring";

/// The named record with what a page shows before the store is open; see [`early`](super::early).
pub(crate) const EARLY: &str = "early";
