//! The end of all work: all news are here, and what can be sent is sent.

use std::collections::{BTreeMap, BTreeSet};

use haos_queue::{ConnectionState, Update};
use haos_store_api::{Pending, PendingState, RoomId, TxnId};

/// The work that is known to be left.
#[derive(Debug, Default)]
pub(super) struct Idle {
    live: bool,
    /// None until the outbox was read.
    rows: Option<BTreeMap<TxnId, Pending>>,
}

impl Idle {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn connection(&mut self, state: &ConnectionState) {
        self.live = *state == ConnectionState::Live;
    }

    pub(super) fn update(&mut self, update: &Update) {
        match update {
            Update::Reset(rows) => {
                self.rows = Some(rows.iter().map(|row| (row.txn_id.clone(), row.clone())).collect());
            }
            Update::Put(row) => {
                self.rows.get_or_insert_default().insert(row.txn_id.clone(), (**row).clone());
            }
            Update::Removed(txn_id) => drop(self.rows.get_or_insert_default().remove(txn_id)),
            _ => {}
        }
    }

    /// Nothing is left but what waits for the user.
    pub(super) fn is_done(&self) -> bool {
        self.live && self.rows.as_ref().is_some_and(|rows| !rows.values().any(|row| moves(row, rows)))
    }
}

/// Tells if a row goes on by itself. In a room, nothing goes on behind what is parked.
fn moves(row: &Pending, rows: &BTreeMap<TxnId, Pending>) -> bool {
    let parked = |row: &&Pending| matches!(row.state, PendingState::Parked(_));
    let stuck: BTreeSet<(&RoomId, u64)> =
        rows.values().filter(parked).map(|row| (&row.room, row.seq)).collect();
    !parked(&row)
        && (row.state == PendingState::Sent
            || !stuck.iter().any(|(room, seq)| **room == row.room && *seq < row.seq))
}

#[cfg(test)]
mod tests {
    use haos_store_api::{EventType, Json, ParkReason};

    use super::*;

    fn row(txn: &str, room: &str, seq: u64, state: PendingState) -> Pending {
        let (txn, room) = (TxnId::new(txn).unwrap(), RoomId::new(room).unwrap());
        let row = Pending::new(txn, room, EventType::new("m.room.message").unwrap(), Json::empty(), 0);
        Pending { seq, state, ..row }
    }

    #[test]
    fn it_is_done_when_only_the_user_can_go_on() {
        let mut idle = Idle::new();
        let parked = PendingState::Parked(ParkReason::Forbidden);
        let rows = vec![row("t1", "!a", 1, parked), row("t2", "!a", 2, PendingState::Queued)];
        idle.update(&Update::Reset(rows));
        assert!(!idle.is_done(), "not live yet");
        idle.connection(&ConnectionState::Live);
        assert!(idle.is_done(), "one is parked, and one waits behind it");
        idle.update(&Update::Put(Box::new(row("t3", "!b", 3, PendingState::Sending))));
        assert!(!idle.is_done());
        idle.update(&Update::Put(Box::new(row("t3", "!b", 3, PendingState::Sent))));
        assert!(!idle.is_done(), "its echo is to come");
        idle.update(&Update::Removed(TxnId::new("t3").unwrap()));
        assert!(idle.is_done());
        idle.connection(&ConnectionState::Connecting);
        assert!(!idle.is_done());
    }
}
