//! The store's counters and sums: one record, written with every commit.

use haos_store_api::backend::kv::{Sums, counters};
use haos_store_api::{Result, Revision, Usage};

/// The format of the records. A later layout takes the next number.
pub(crate) const FORMAT: u32 = 1;

/// The counters and sums of the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// The latest commit.
    pub(crate) revision: Revision,
    /// The latest sequence number given to an outbox row.
    pub(crate) last_seq: u64,
    /// The latest number given to a media item's bytes.
    pub(crate) last_blob: u64,
    /// Records in the overlay: if zero, reads can skip it.
    pub(crate) overlays: u64,
    /// Bytes of messages that the overlay stands for; a compaction gives them back.
    pub(crate) stale: u64,
    /// Rows and bytes of the collections.
    pub(crate) sums: Sums,
}

impl Head {
    /// Returns the usage of the store; bytes in all are those of its records.
    pub(crate) fn usage(&self) -> Usage {
        let (collections, total_bytes) = (self.sums.collections(), self.sums.bytes() + self.stale);
        Usage { collections, total_bytes, free_bytes: self.stale, quota_bytes: None }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let counters = [self.revision.0, self.last_seq, self.last_blob, self.overlays, self.stale];
        counters::encode(FORMAT, counters, &self.sums)
    }

    /// # Errors
    /// As [`counters::decode`].
    pub(crate) fn decode(operation: &'static str, bytes: &[u8]) -> Result<Self> {
        let (counters, sums) = counters::decode(operation, FORMAT, bytes)?;
        let [revision, last_seq, last_blob, overlays, stale] = counters;
        Ok(Self { revision: Revision(revision), last_seq, last_blob, overlays, stale, sums })
    }
}
