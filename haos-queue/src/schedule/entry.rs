use haos_store_api::{Pending, PendingState, Revision, TxnId};

use super::{Lane, Limits};
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
    /// `limits`: a row that says more was written by another clock.
    pub(super) fn of(row: &Pending, owner: &str, limits: &Limits) -> Self {
        let lease = row.lease.as_ref();
        let within = |at: i64, most_ms: u64| match limits.now_ms {
            Some(now_ms) => at.min(now_ms.saturating_add_unsigned(most_ms)),
            None => at,
        };
        Self {
            lane: (row.room.clone(), Class::of(row)),
            seq: row.seq,
            state: row.state,
            due_ms: within(row.not_before_ms, limits.wait_ms),
            fence: row.fence,
            forgiven: false,
            expires_ms: row.expires_at_ms.unwrap_or(i64::MAX),
            lease_ms: lease.map_or(i64::MIN, |lease| within(lease.until_ms, limits.lease_ms)),
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
