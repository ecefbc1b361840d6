use haos_store_api::{ErrorKind, Op, ParkReason, Pending, PendingState, Result, TxnId, WriteBatch};

use super::Driver;
use super::attempt::{Begun, Ended, Outcome, Tried};
use super::gate::Net;
use crate::account::Gate;
use crate::backoff::LONGEST_QUIET_MS;
use crate::local::local_event_id;
use crate::machine::{Class, Event, Failure, Family, Step, plan, step};
use crate::reconcile::accepted;
use crate::{Answer, Verdict};

/// How often an outcome is written down before the row is left to its lease.
const TRIES: u32 = 8;

impl Driver {
    /// Writes down what an answer means for a row: one batch with those that waited for it, and with the
    /// account's gate where the answer is about the account.
    pub(super) async fn settle(&self, mut row: Pending, answer: Answer, begun: Begun) -> Result<Tried> {
        let Begun { children, resumed } = begun;
        let upload = Class::of(&row) == Class::Upload;
        let failed = |failure| Event::Failed { fence: row.fence, failure };
        let transient = |ambiguous, counts, error: &str| {
            failed(Failure::Transient { ambiguous, counts, error: error.to_owned() })
        };
        let (event, gate, net) = match answer.verdict(upload) {
            Verdict::Accepted(None) if Class::of(&row) == Class::Event => {
                let net = Net::Silent("no event id".to_owned());
                (transient(true, false, "accepted without an id"), None, net)
            }
            Verdict::Accepted(event_id) => (Event::Accepted(event_id), None, Net::Heard),
            Verdict::Uploaded(None) if row.remote.is_none() => {
                (transient(true, true, "uploaded without a place"), None, Net::Heard)
            }
            Verdict::Uploaded(uri) => {
                row.remote = uri.or(row.remote);
                (Event::Accepted(None), None, Net::Heard)
            }
            Verdict::Park { reason: ParkReason::NotFound, .. } if upload && row.remote.is_some() => {
                // The place that the server made is gone: the next attempt asks for another.
                row.remote = None;
                (transient(false, true, "the place for the upload expired"), None, Net::Heard)
            }
            verdict => {
                let (failure, gate, net) = self.failure(&row, verdict, resumed);
                (failed(failure), gate, net)
            }
        };
        tracing::debug!(txn_id = %row.txn_id, event = ?event.kind(), "answered");
        Ok(match self.record(row, &event, gate.as_ref(), children).await {
            Ok(row) => Tried { row, net: Some(net), ..Tried::default() },
            Err(e) => Tried { net: Some(net), failed: Some(e), ..Tried::default() },
        })
    }

    /// What a verdict that is no success means for a row, the account and the network.
    pub(super) fn failure(
        &self,
        row: &Pending,
        verdict: Verdict,
        resumed: u64,
    ) -> (Failure, Option<Gate>, Net) {
        let shared = &self.outbox.shared;
        let now_ms = shared.now_ms();
        match verdict {
            Verdict::Transient { ambiguous, counts, offline, error } => {
                let net = if offline { Net::Silent(error.clone()) } else { Net::Heard };
                (Failure::Transient { ambiguous, counts, error }, None, net)
            }
            Verdict::RateLimited { wait_ms } => {
                let age_ms = now_ms.saturating_sub(row.first_attempt_ms.unwrap_or(now_ms));
                let backoff_ms = shared.options.retry.uncounted_ms(age_ms, shared.host.random());
                let jitter_ms = shared.host.random() % 1000;
                let wait_ms = wait_ms.max(backoff_ms).min(LONGEST_QUIET_MS).saturating_add(jitter_ms);
                let until_ms = now_ms.saturating_add_unsigned(wait_ms);
                let gate = Gate { not_before_ms: until_ms, ..Gate::default() };
                (Failure::RateLimited { until_ms }, Some(gate), Net::Quiet(until_ms))
            }
            Verdict::Pause(reason) => {
                let gate = Gate { paused: Some(reason), resumed, ..Gate::default() };
                (Failure::Paused, Some(gate), Net::Paused)
            }
            Verdict::Park { reason, error } => (Failure::Permanent { reason, error }, None, Net::Heard),
            Verdict::Accepted(_) | Verdict::Uploaded(_) => {
                let error = "an answer to another question".to_owned();
                (Failure::Transient { ambiguous: false, counts: true, error }, None, Net::Heard)
            }
        }
    }

    /// Carries out an event on a row as it was read; reads again where somebody else wrote it meanwhile.
    /// Returns the row as it is then, or `None` if it is gone.
    pub(super) async fn record(
        &self,
        mut row: Pending,
        event: &Event,
        gate: Option<&Gate>,
        mut children: bool,
    ) -> Result<Option<Pending>> {
        let shared = &self.outbox.shared;
        let remote = row.remote.clone();
        // A redaction that came during the attempt is known to the store alone.
        children |= matches!(event, Event::Failed { .. });
        let (mut tries, mut tells) = (0, true);
        loop {
            let family = match children {
                true => Family::read(&*shared.store, row).await?,
                false => Family::alone(row),
            };
            let context = shared.context();
            let decided = self.unwanted(&family, step(&family.row, event, &context))?;
            let planned = plan(&family, event, &decided, &context, &*shared.protocol)?;
            let nothing = planned.is_none();
            let mut batch = planned.unwrap_or_else(WriteBatch::relaxed);
            let has_marker = tells && matches!((event, &decided), (Event::Accepted(_), Step::Done));
            if has_marker
                && let Err(error) = accepted(&*shared.store, &mut batch, &family.row, &*shared.protocol).await
            {
                // The row ends all the same.
                tracing::warn!(%error, "how far the user has read is left to the next sync");
            }
            if let Some(gate) = gate {
                Gate::change(&*shared.store, None, &mut batch, |held| merged(gate, held)).await?;
            } else if nothing {
                return Ok(Some(family.row));
            }
            let put = batch.ops().iter().find_map(|op| match op {
                Op::PutPending(next) if next.txn_id == family.row.txn_id => Some(next.clone()),
                _ => None,
            });
            match shared.store.apply(batch).await {
                Ok(_) if nothing => return Ok(Some(family.row)),
                Ok(commit) => return Ok(put.map(|next| Pending { revision: commit.revision, ..next })),
                Err(e) if e.kind() == ErrorKind::Conflict && tries < TRIES => {
                    let Some(now) = shared.row(&family.row.txn_id).await? else {
                        return self.gate_alone(gate).await.map(|()| None);
                    };
                    row = Pending { remote: remote.clone().or(now.remote.clone()), ..now };
                    children = true;
                }
                Err(e) if e.kind() != ErrorKind::Closed && tries < TRIES => {
                    // A row can end where nothing new is taken: the store is full, or its room has just gone.
                    tells &= !matches!(e.kind(), ErrorKind::Full | ErrorKind::Invalid);
                    row = family.row;
                    shared.host.sleep(100 << tries).await;
                }
                Err(e) => return Err(e),
            }
            tries += 1;
        }
    }

    /// The row is gone; what was said of the account holds.
    async fn gate_alone(&self, gate: Option<&Gate>) -> Result<()> {
        let Some(gate) = gate else { return Ok(()) };
        Gate::update(&*self.outbox.shared.store, None, |held| merged(gate, held)).await
    }

    /// A row that failed and surely is not on the server goes, if the user took it back while it was on
    /// its way: the redaction that waits for it has nothing to do.
    fn unwanted(&self, family: &Family, decided: Step) -> Result<Step> {
        let Step::Put(next) = &decided else { return Ok(decided) };
        let failed = matches!(next.state, PendingState::Queued | PendingState::Parked(_)) && !next.ambiguous;
        if !failed || family.waiting.is_empty() || family.row.state != PendingState::Sending {
            return Ok(decided);
        }
        let (kind, _) = self.outbox.shared.protocol.redaction()?;
        let local = local_event_id(&family.row.txn_id)?;
        let taken_back =
            family.waiting.iter().any(|row| row.kind == kind && row.target.as_ref() == Some(&local));
        Ok(if taken_back { Step::Cancelled } else { decided })
    }

    /// Takes a row back whose holder's time ran out, or that an earlier run of ours left behind.
    pub(super) async fn recover(&self, txn_id: TxnId, alone: bool) -> Outcome {
        self.without_network(txn_id, |row, now_ms| {
            let lease = row.lease.as_ref()?;
            // The schedule may be behind: the lease may have been renewed.
            let honest_ms = now_ms.saturating_add_unsigned(self.outbox.shared.options.lease_ms);
            // A lease that reaches further than a new one would was written by another clock.
            let past = lease.until_ms <= now_ms || lease.until_ms > honest_ms;
            let over = alone || past || lease.owner == self.outbox.shared.owner;
            over.then_some(Event::LeaseLost { fence: row.fence, until_ms: lease.until_ms })
        })
        .await
    }

    /// Parks a row that waited too long.
    pub(super) async fn expire(&self, txn_id: TxnId) -> Outcome {
        self.without_network(txn_id, |row, now_ms| {
            row.expires_at_ms.is_some_and(|at| at <= now_ms).then_some(Event::Expire)
        })
        .await
    }

    async fn without_network(
        &self,
        txn_id: TxnId,
        event: impl Fn(&Pending, i64) -> Option<Event>,
    ) -> Outcome {
        let shared = &self.outbox.shared;
        let done = async {
            let Some(row) = shared.row(&txn_id).await? else { return Ok(None) };
            match event(&row, shared.now_ms()) {
                Some(event) => self.record(row, &event, None, true).await,
                None => Ok(Some(row)),
            }
        };
        match done.await {
            Ok(row) => Outcome::new(txn_id, Ended::Row(Box::new(row)), None),
            Err(e) => Outcome::new(txn_id, Ended::Failed(e), None),
        }
    }
}

/// A pause is not lifted by a later wish for quiet, and not brought back by a late refusal.
fn merged(gate: &Gate, held: Gate) -> Gate {
    let not_before_ms = gate.not_before_ms.max(held.not_before_ms);
    let held = Gate { not_before_ms, ..held };
    match &gate.paused {
        Some(reason) if gate.resumed == held.resumed => held.refused(reason),
        _ => held,
    }
}
