use std::collections::BTreeMap;

use haos_store_api::{Collection, Revision};

use crate::ArchiveId;

/// What an archive says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub id: ArchiveId,
    /// The store's revision, of which the archive has every row.
    pub revision: Revision,
    /// The time of the backup in milliseconds since 1970, as its caller gave it.
    pub time_ms: i64,
    /// The archives that it builds on, the full one first; empty for a full one. It cannot be read without them.
    pub base: Vec<ArchiveId>,
    /// True if it may hold the login, with its access token.
    pub session: bool,
    /// The rows of each collection.
    pub counts: BTreeMap<Collection, u64>,
    /// The bytes of all media.
    pub media_bytes: u64,
    /// Rows that the store could not read, by collection; those of a damaged room are not counted one by one. A row
    /// may be counted twice.
    pub left_out: BTreeMap<Collection, u64>,
}

impl Summary {
    /// Returns the number of rows of a collection.
    pub fn count(&self, collection: Collection) -> u64 {
        self.counts.get(&collection).copied().unwrap_or_default()
    }

    /// Tells whether the archive holds every row of the store.
    pub fn is_complete(&self) -> bool {
        self.left_out.values().all(|count| *count == 0)
    }
}
