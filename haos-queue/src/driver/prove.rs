//! The search for a message that may have been sent, past the time in which the server would
//! know its transaction id.
//!
//! The room's history is read from its newest event back to the newest one that was stored when the row
//! was first tried: an event of this row can stand nowhere else. On the device that tried, the server
//! tells the transaction ids; on another one, any own message without an id could be it.

use haos_store_api::{EventId, ParkReason, Pending, PendingState, Result, TxnId, WriteBatch};

use super::Driver;
use super::attempt::{Ended, Outcome, Tried};
use super::gate::Net;
use crate::machine::Event;
use crate::{Answer, Verdict};

/// The wait before a question that the network cut short is asked again, in milliseconds.
pub(super) const AGAIN_MS: i64 = 30_000;

enum Look {
    Present(EventId),
    Absent,
    Unprovable,
    Failed(Answer),
}

impl Driver {
    /// Tells if a row must be proven absent before it is sent again. So must one that may have gone out as it was written
    /// before its room was encrypted: sealed, it is another request for the server.
    pub(super) fn needs_proof(&self, row: &Pending, must_seal: bool) -> bool {
        let shared = &self.outbox.shared;
        let Some(first_ms) = row.first_attempt_ms.filter(|_| row.ambiguous) else { return false };
        // Where the clock was set since, nobody knows what the server has forgotten.
        let fresh = shared.age_ms(first_ms).is_some_and(|age| age < shared.options.ambiguity_ms);
        let same = row.device.as_ref() == Some(&self.session.device);
        !(fresh && same) || (must_seal && row.wire.is_none())
    }

    /// Proves a queued row absent, or finds it.
    pub(super) async fn prove(&self, row: Pending) -> Result<Tried> {
        let shared = &self.outbox.shared;
        // An attempt on its way to the server must arrive, or be lost, first.
        let now_ms = shared.now_ms();
        if row.last_attempt_ms.is_some_and(|tried| shared.is_ahead(tried)) {
            // The clock was set back: the wait begins now.
            let next = Pending { last_attempt_ms: Some(now_ms), ..row.clone() };
            let row = Some(shared.put(&row, next, WriteBatch::relaxed()).await?);
            let later_ms = Some(now_ms.saturating_add_unsigned(shared.options.settle_ms));
            return Ok(Tried { row, later_ms, ..Tried::default() });
        }
        let settled_ms =
            row.last_attempt_ms.unwrap_or(now_ms).saturating_add_unsigned(shared.options.settle_ms);
        if now_ms < settled_ms {
            let most_ms = now_ms.saturating_add_unsigned(shared.options.settle_ms);
            let later_ms = Some(settled_ms.min(most_ms));
            return Ok(Tried { row: Some(row), later_ms, ..Tried::default() });
        }
        let event = match self.look(&row).await {
            Look::Present(event_id) => Event::Accepted(Some(event_id)),
            Look::Absent => Event::ProvenAbsent,
            Look::Unprovable => Event::Unprovable,
            Look::Failed(answer) => {
                let net = Net::of(&answer, now_ms);
                let later_ms = Some(now_ms.saturating_add(AGAIN_MS));
                return Ok(Tried { row: Some(row), net: Some(net), later_ms, failed: None });
            }
        };
        tracing::debug!(txn_id = %row.txn_id, event = ?event.kind(), "looked for on the server");
        let row = self.record(row, &event, None, true).await?;
        Ok(Tried { row, net: Some(Net::Heard), ..Tried::default() })
    }

    /// Looks once more for a row that could not be proven absent.
    pub(super) async fn prove_again(&self, txn_id: TxnId) -> Outcome {
        match self.proven(&txn_id).await {
            Ok(row) => Outcome::new(txn_id, Ended::Row(Box::new(row)), None),
            Err(e) => Outcome::new(txn_id, Ended::Failed(e), None),
        }
    }

    async fn proven(&self, txn_id: &TxnId) -> Result<Option<Pending>> {
        let Some(row) = self.outbox.shared.row(txn_id).await? else { return Ok(None) };
        if row.state != PendingState::Parked(ParkReason::Ambiguous) {
            return Ok(Some(row));
        }
        match self.look(&row).await {
            Look::Present(event_id) => self.record(row, &Event::Accepted(Some(event_id)), None, true).await,
            Look::Absent => self.record(row, &Event::ProvenAbsent, None, true).await,
            Look::Unprovable | Look::Failed(_) => Ok(Some(row)),
        }
    }

    async fn look(&self, row: &Pending) -> Look {
        let options = &self.outbox.shared.options;
        let same = row.device.as_ref() == Some(&self.session.device);
        let (mut from, mut suspect) = (None, false);
        let end = |suspect| if suspect { Look::Unprovable } else { Look::Absent };
        for _ in 0..options.proof_pages {
            let request = self.transport.history(&row.room, from.as_deref(), options.proof_page);
            let page = self.within(request, options.request_ms).await;
            let page = match page {
                Some(Ok(page)) => page,
                Some(Err(answer)) => {
                    return match answer.verdict(false) {
                        Verdict::Park { .. } => Look::Unprovable,
                        _ => Look::Failed(answer),
                    };
                }
                None => return Look::Failed(Answer::NoAnswer),
            };
            for event in page.events.iter().rev() {
                let own = event.sender == self.session.user;
                if own && event.txn_id.as_ref() == Some(&row.txn_id) {
                    return Look::Present(event.id.clone());
                }
                // It was there before the first attempt, whoever sent it.
                if Some(&event.id) == row.anchor.as_ref() {
                    return end(suspect);
                }
                suspect |= own && !same && event.txn_id.is_none() && event.state_key.is_none();
            }
            match page.end {
                Some(token) => from = Some(token),
                // The beginning of history: what should have been met on the way is not there any more.
                None if row.anchor.is_some() => return Look::Unprovable,
                None => return end(suspect),
            }
        }
        Look::Unprovable
    }
}
