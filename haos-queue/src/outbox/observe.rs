use std::collections::VecDeque;

use haos_store_api::{Change, Changes, ParkReason, Pending, PendingState, Result, RoomId, Touched, TxnId};

use super::Outbox;

/// The number of attempts from which on a row says that it is still being tried.
const STILL: u32 = 3;
/// The number of attempts from which on a row says that it is delayed.
const DELAYED: u32 = 5;

/// The status of a row, for the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowStatus {
    /// It waits for its turn.
    Waiting,
    /// It is on its way.
    Sending,
    /// Several attempts failed.
    StillTrying,
    /// Many attempts failed: offer to retry.
    Delayed,
    /// It waits for the user or a change of circumstances.
    Parked(ParkReason),
    /// The server has it.
    Sent,
}

impl RowStatus {
    /// Reads the status of a row.
    pub fn of(row: &Pending) -> Self {
        match row.state {
            PendingState::Sent => Self::Sent,
            PendingState::Parked(reason) => Self::Parked(reason),
            _ if row.attempts >= DELAYED => Self::Delayed,
            _ if row.attempts >= STILL => Self::StillTrying,
            PendingState::Sending => Self::Sending,
            _ => Self::Waiting,
        }
    }
}

/// A step of an outbox that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Update {
    /// Start over from these rows.
    Reset(Vec<Pending>),
    /// A row is new, or other than before.
    Put(Box<Pending>),
    /// A row is gone: delivered or cancelled.
    Removed(TxnId),
}

/// Watches the outbox, or a room's part of it. The first update is a [`Update::Reset`] with the rows there
/// are; then nothing is missed.
#[derive(Debug)]
pub struct Observer {
    outbox: Outbox,
    room: Option<RoomId>,
    changes: Changes,
    started: bool,
    touched: VecDeque<TxnId>,
}

impl Outbox {
    /// Watches all rows, or a room's.
    pub fn observe(&self, room: Option<RoomId>) -> Observer {
        // Subscribed first, so that what happens before the first read is told twice rather than never.
        let changes = self.shared.store.changes();
        Observer { outbox: self.clone(), room, changes, started: false, touched: VecDeque::new() }
    }
}

impl Observer {
    /// The next update; none once the store is closed. Dropping the call loses nothing.
    ///
    /// # Errors
    /// Those of the store; the next call goes on.
    pub async fn next(&mut self) -> Result<Option<Update>> {
        if !self.started {
            let rows = self.outbox.rows(self.room.as_ref()).await?;
            self.started = true;
            return Ok(Some(Update::Reset(rows)));
        }
        loop {
            while let Some(txn_id) = self.touched.front().cloned() {
                let row = self.outbox.shared.row(&txn_id).await?;
                self.touched.pop_front();
                match row {
                    Some(row) if self.room.as_ref().is_none_or(|room| *room == row.room) => {
                        return Ok(Some(Update::Put(Box::new(row))));
                    }
                    // Of which room it was is not known any more: whoever does not show it ignores it.
                    None => return Ok(Some(Update::Removed(txn_id))),
                    Some(_) => {}
                }
            }
            match self.changes.next().await {
                None => return Ok(None),
                Some(Change::Commit { touched, .. }) => {
                    let rows = touched.iter().filter_map(|touched| match touched {
                        Touched::Pending(txn_id) => Some(txn_id.clone()),
                        _ => None,
                    });
                    self.touched.extend(rows);
                }
                Some(_) => {
                    self.touched.clear();
                    self.started = false;
                    return Box::pin(self.next()).await;
                }
            }
        }
    }
}
