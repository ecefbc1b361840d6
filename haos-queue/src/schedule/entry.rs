use haos_store_api::{Pending, PendingState, Revision, TxnId};

use super::Lane;
use crate::machine::{Class, Phase};

/// A row as far as its turn depends on it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) lane: Lane,
    pub(crate) seq: u64,
    pub(crate) state: PendingState,
    pub(crate) due_ms: i64,
    pub(crate) fence: u64,
    /// Its backoff is forgotten until the next attempt.
    pub(super) forgiven: bool,
    pub(crate) expires_ms: i64,
    pub(crate) lease_ms: i64,
    pub(crate) ours: bool,
    pub(crate) priority: i32,
    pub(crate) parent: Option<TxnId>,
    pub(crate) revision: Revision,
}

impl Entry {
    pub(crate) fn of(row: &Pending, owner: &str) -> Self {
        let lease = row.lease.as_ref();
        Self {
            lane: (row.room.clone(), Class::of(row)),
            seq: row.seq,
            state: row.state,
            due_ms: row.not_before_ms,
            fence: row.fence,
            forgiven: false,
            expires_ms: row.expires_at_ms.unwrap_or(i64::MAX),
            lease_ms: lease.map_or(i64::MIN, |lease| lease.until_ms),
            ours: lease.is_some_and(|lease| lease.owner == owner),
            priority: row.priority,
            parent: row.parent.clone(),
            revision: row.revision,
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::of_state(self.state)
    }
}
