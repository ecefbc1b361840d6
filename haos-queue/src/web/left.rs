//! The work that is left, seen from beside the driver.

use haos_store_api::backend::SortedSet;
use haos_store_api::{PendingQuery, PendingState, Result};

use crate::account::Gate;
use crate::machine::{Class, Event, Phase};
use crate::outbox::Shared;
use crate::{Order, Outbox};

/// Rows read at once. Where something is left it mostly is among the first.
const PAGE: usize = 64;

/// Tells if something could be sent, now or later, without the user: rows that are paused or parked, and those
/// behind them, are not left.
pub(super) async fn is_left(outbox: &Outbox) -> Result<bool> {
    let shared = &outbox.shared;
    let (account, rooms) = Gate::read_all(&*shared.store).await?;
    if account.paused.is_some() {
        return Ok(false);
    }
    // Lanes of which nothing more can go: rooms that are paused, and what stands behind a row that waits.
    let paused = rooms.into_iter().filter(|(_, gate)| gate.paused.is_some());
    let paused: SortedSet<_> = paused.map(|(room, _)| room).collect();
    let (mut held, mut waiting) = (SortedSet::new(), SortedSet::new());
    let mut query = PendingQuery { limit: PAGE, skip_damaged: true, ..PendingQuery::default() };
    loop {
        let rows = shared.store.pending(query.clone()).await?;
        let Some(last) = rows.last() else { return Ok(false) };
        query.after_seq = last.seq;
        for row in rows {
            let lane = (row.room.clone(), Class::of(&row));
            let phase = Phase::of(&row);
            if phase == Phase::Sent {
                continue;
            }
            if !paused.contains(&row.room) && !held.contains(&lane) {
                // The parent of a blocked row counts by itself, unless it is gone: the driver sees to that.
                let parent = row.parent.as_ref();
                let stranded = phase == Phase::Blocked && parent.is_some_and(|of| !waiting.contains(of));
                if stranded || matches!(phase, Phase::Queued | Phase::Sending) {
                    return Ok(true);
                }
                if shared.options.order == Order::Strict {
                    held.insert(lane);
                }
            }
            waiting.insert(row.txn_id);
        }
    }
}

/// Takes back what others were sending. For whoever has just been given the lock that every sender holds: their
/// contexts are gone or have let go of it.
///
/// It is done once, instead of running as [`Lead::Alone`](crate::Lead::Alone): a context that was frozen with
/// the lock may wake up when another sends, and must not take what that one is sending.
pub(super) async fn take_back(shared: &Shared) -> Result<()> {
    let mut query = PendingQuery { limit: PAGE, skip_damaged: true, ..PendingQuery::default() };
    loop {
        let rows = shared.store.pending(query.clone()).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        query.after_seq = last.seq;
        for row in rows.iter().filter(|row| row.state == PendingState::Sending) {
            if let Some(lease) = row.lease.as_ref().filter(|lease| lease.owner != shared.owner) {
                let lost = Event::LeaseLost { fence: row.fence, until_ms: lease.until_ms };
                shared.act(&row.txn_id, &lost).await?;
            }
        }
    }
}
