//! The engine's demands on a database: one transaction over ordered stores of bytes.

use futures_util::future::LocalBoxFuture;
use haos_store_api::Result;

/// An object store. Each value begins with its own key, except in [`Table::Timeline`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    /// Room key: row.
    Rooms,
    /// Gaps, overlay and segments: see [`keys`](super::keys).
    Timeline,
    /// Sequence number: outbox row.
    Outbox,
    /// Transaction key: sequence number.
    OutboxIds,
    /// Media key: row.
    Media,
    /// Blob number, index: bytes.
    Chunks,
    /// Scope key, kind key, entry key: row of a state entry.
    State,
}

impl Table {
    /// In the order of their declaration.
    pub(crate) const ALL: [Self; 7] =
        [Self::Rooms, Self::Timeline, Self::Outbox, Self::OutboxIds, Self::Media, Self::Chunks, Self::State];

    /// Returns the name of its object store.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rooms => "rooms",
            Self::Timeline => "timeline",
            Self::Outbox => "outbox",
            Self::OutboxIds => "outbox_ids",
            Self::Media => "media",
            Self::Chunks => "chunks",
            Self::State => "state",
        }
    }

    /// Returns the length of the keys that its values begin with.
    pub(crate) fn key_bytes(self) -> usize {
        match self {
            Self::Rooms | Self::OutboxIds | Self::Media | Self::Chunks => 16,
            Self::Outbox => 8,
            Self::State => 48,
            Self::Timeline => 0,
        }
    }
}

/// A range of keys, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Tells whether every key of `other` is in it.
    pub(crate) fn covers(&self, other: &Span) -> bool {
        self.low <= other.low && other.high <= self.high
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

/// One transaction.
pub(crate) trait Kv {
    /// Reads one of the store's few named records.
    fn named(&self, name: &'static str) -> Answer<Option<Vec<u8>>>;
    /// Reads a value.
    fn get(&self, table: Table, key: &[u8]) -> Answer<Option<Vec<u8>>>;
    /// Reads the values of a range, by key, up to `limit`.
    fn range(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>>;
    /// Reads the keys of a range, in order.
    fn keys(&self, table: Table, span: &Span, limit: Option<u32>) -> Answer<Vec<Vec<u8>>>;
    /// Reads the greatest key of a range of the timeline.
    fn last_key(&self, span: &Span) -> Answer<Option<Vec<u8>>>;
    /// Reads the value of the greatest key of a range of the timeline.
    fn last(&self, span: &Span) -> Answer<Option<Vec<u8>>>;
    /// Reads the keys of the timeline's records that name `entry` among their ids.
    fn holders(&self, entry: &str) -> Answer<Vec<Vec<u8>>>;
    /// Reads the values of those records.
    fn held(&self, entry: &str) -> Answer<Vec<Vec<u8>>>;

    /// Writes a value. A failure fails the transaction.
    fn put(&self, table: Table, key: &[u8], value: &[u8]) -> Result<()>;
    /// Writes a record of the timeline with the ids that find it.
    fn put_indexed(&self, key: &[u8], ids: &[String], value: &[u8]) -> Result<()>;
    /// Writes a record with a name.
    fn put_named(&self, name: &'static str, value: &[u8]) -> Result<()>;
    /// Deletes a record.
    fn delete(&self, table: Table, key: &[u8]) -> Result<()>;
}

/// The named record with the store's counters.
pub(crate) const HEAD: &str = "head";
/// The named record with the keyring of a sealed store.
pub(crate) const KEYRING: &str = "keyring";
