//! The end of a job, well or not.

use haos_store_api::{ErrorKind, ParkReason, PendingState, Result};

use super::attempt::{Ended, Outcome};
use super::gate::Net;
use super::run::Run;
use crate::machine::Event;

/// The first and the longest wait after the store failed, in milliseconds.
const STORE_WAIT_MS: (u64, u64) = (250, 60_000);

impl Run<'_> {
    /// A job has ended.
    pub(super) fn ended(&mut self, outcome: Outcome) -> Result<()> {
        let Outcome { txn_id, class, ended, net, later_ms } = outcome;
        self.running[class as usize] -= 1;
        self.aborts.remove(&txn_id);
        let missed = self.missed.remove(&txn_id);
        let now_ms = self.shared.now_ms();
        // Written down by our own hand, and to be read before anything is begun.
        self.stale.gates |= net == Some(Net::Paused);
        if let Some(net) = net
            && self.gates.heard(self.shared, net, now_ms)
        {
            self.schedule.reset();
        }
        match ended {
            Ended::Row(row) => {
                self.store_wait_ms = 0;
                match *row {
                    Some(row) => {
                        self.dirty
                            .extend(missed.filter(|missed| row.revision < *missed).map(|_| txn_id.clone()));
                        self.take_up(&row);
                        // The refusal may be older than what changed meanwhile.
                        let stirred = self.stirred.remove(&row.room);
                        if stirred && row.state == PendingState::Parked(ParkReason::Forbidden) {
                            self.recheck.push(row.room);
                        }
                    }
                    None => self.forget(&txn_id),
                }
                if let Some(until_ms) = later_ms {
                    self.schedule.postpone(&txn_id, until_ms);
                }
                self.schedule.release(&txn_id);
            }
            Ended::Again => {
                self.schedule.release(&txn_id);
                self.dirty.push(txn_id);
            }
            Ended::Probed(next_ms) => self.probes.later(&txn_id, next_ms, &self.gates),
            Ended::Rest(parent) => {
                self.dirty.extend(parent);
                self.dirty.extend(missed.map(|_| txn_id.clone()));
                self.schedule.release(&txn_id);
            }
            Ended::Failed(e) => {
                self.schedule.release(&txn_id);
                self.dirty.push(txn_id);
                return self.store_failed(e);
            }
        }
        Ok(())
    }

    /// The store failed: nothing is begun for a while. An end only where nothing can get better.
    pub(super) fn store_failed(&mut self, e: haos_store_api::Error) -> Result<()> {
        if e.kind() == ErrorKind::Closed {
            return Err(e);
        }
        tracing::warn!(error = %e, "the outbox could not be written; trying again");
        let (first, most) = STORE_WAIT_MS;
        self.store_wait_ms = (self.store_wait_ms * 2).clamp(first, most);
        let wait = self.shared.options.retry.spread(self.store_wait_ms, self.shared.host.random());
        self.store_until_ms = self.shared.now_ms().saturating_add_unsigned(wait);
        Ok(())
    }

    /// The grace is over: what is under way is dropped, its leases are given back.
    pub(super) async fn let_go(mut self) -> Result<()> {
        let busy = self.schedule.busy();
        self.jobs.clear();
        for txn_id in busy {
            let Some(row) = self.shared.row(&txn_id).await? else { continue };
            if let Some(lease) = row.lease.as_ref().filter(|lease| lease.owner == self.shared.owner) {
                let lost = Event::LeaseLost { fence: row.fence, until_ms: lease.until_ms };
                self.shared.act(&txn_id, &lost).await?;
            }
        }
        Ok(())
    }
}
