//! The store's counters and sums: a part of every commit's record, and a record of their own as of the latest fold.

use haos_store_api::backend::kv::{Sums, counters};
use haos_store_api::{Result, Revision, Usage};

/// The format of the records. A later layout takes the next number.
pub(crate) const FORMAT: u32 = 2;

/// The counters and sums of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The latest commit.
    pub(crate) revision: Revision,
    /// The latest sequence number given to an outbox row.
    pub(crate) last_seq: u64,
    /// The latest number given to a media item's bytes.
    pub(crate) last_blob: u64,
    /// The latest record of the log that is in the tables; only in the record of the latest fold.
    pub(crate) folded: u64,
    /// Rows and bytes of the collections.
    pub(crate) sums: Sums,
}

impl Head {
    /// The bytes of an encoded head.
    pub(crate) const BYTES: usize = 4 + 4 * 8 + 6 * 16 + 4;

    /// Returns the usage of the store; bytes in all are those of its records.
    pub(crate) fn usage(&self) -> Usage {
        let (collections, total_bytes) = (self.sums.collections(), self.sums.bytes());
        Usage { collections, total_bytes, free_bytes: 0, quota_bytes: None }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        counters::encode(FORMAT, [self.revision.0, self.last_seq, self.last_blob, self.folded], &self.sums)
    }

    /// # Errors
    /// As [`counters::decode`].
    pub(crate) fn decode(operation: &'static str, bytes: &[u8]) -> Result<Self> {
        let (counters, sums) = counters::decode(operation, FORMAT, bytes)?;
        let [revision, last_seq, last_blob, folded] = counters;
        Ok(Self { revision: Revision(revision), last_seq, last_blob, folded, sums })
    }
}
