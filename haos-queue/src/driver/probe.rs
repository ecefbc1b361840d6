use haos_store_api::backend::SortedMap;
use haos_store_api::{Message, Page, Pending, PendingState, Position, Result, TxnId, WriteBatch};

use super::Driver;
use super::attempt::{Ended, Outcome};
use super::gate::Gates;
use super::prove::AGAIN_MS;
use crate::machine::{Event, Family, plan, step};
use crate::schedule::Rows;
use crate::{Answer, Lookup, Retries, Verdict};

/// Syncs that should have brought an echo.
const SYNCS: u64 = 2;
/// A row that the server does not know any more is asked for again after this time, in milliseconds.
const MISSING_MS: i64 = 15 * 60_000;

/// Sent rows whose echo is awaited.
#[derive(Debug, Default)]
pub(super) struct Probes {
    order: Rows,
    rows: SortedMap<TxnId, Probe>,
}

#[derive(Debug, Clone, Copy)]
struct Probe {
    at_ms: i64,
    seq: u64,
    /// The number of syncs that must have been by then.
    tokens: u64,
}

impl Probes {
    pub(super) fn watch(&mut self, row: &Pending, gates: &Gates, echo_ms: u64) {
        if !self.rows.contains_key(&row.txn_id) {
            let sent_ms = row.last_attempt_ms.unwrap_or(row.created_ms);
            let at_ms = sent_ms.saturating_add_unsigned(echo_ms);
            let probe = Probe { at_ms, seq: row.seq, tokens: gates.tokens() + SYNCS };
            self.insert(row.txn_id.clone(), probe);
        }
    }

    fn insert(&mut self, txn_id: TxnId, probe: Probe) {
        if let Some(old) = self.rows.insert(txn_id.clone(), probe) {
            self.order.remove(&(old.at_ms, old.seq));
        }
        self.order.insert((probe.at_ms, probe.seq), txn_id);
    }

    pub(super) fn forget(&mut self, txn_id: &TxnId) {
        if let Some(probe) = self.rows.remove(txn_id) {
            self.order.remove(&(probe.at_ms, probe.seq));
        }
    }

    pub(super) fn later(&mut self, txn_id: &TxnId, at_ms: i64, gates: &Gates) {
        if let Some(probe) = self.rows.get(txn_id) {
            let probe = Probe { at_ms, tokens: gates.tokens(), ..*probe };
            self.insert(txn_id.clone(), probe);
        }
    }

    /// When the next one may be due; none while no sync comes.
    pub(super) fn wake_ms(&self, gates: &Gates) -> Option<i64> {
        let (_, txn_id) = self.order.first()?;
        let probe = self.rows.get(txn_id)?;
        (gates.tokens() >= probe.tokens).then_some(probe.at_ms)
    }

    /// Those to ask the server for.
    pub(super) fn due(&mut self, now_ms: i64, echo_ms: u64, gates: &Gates) -> Vec<TxnId> {
        let (mut due, echo_ms) = (Vec::new(), echo_ms.max(1));
        while let Some((&(at_ms, _), txn_id)) = self.order.first() {
            let Some(probe) = self.rows.get(txn_id).filter(|_| at_ms <= now_ms).copied() else { break };
            let txn_id = txn_id.clone();
            if gates.tokens() >= probe.tokens {
                due.push(txn_id.clone());
            }
            self.insert(txn_id, Probe { at_ms: now_ms.saturating_add_unsigned(echo_ms), ..probe });
        }
        due
    }
}

impl Driver {
    /// Asks the server for a sent row whose echo did not come.
    pub(super) async fn probe(&self, txn_id: TxnId) -> Outcome {
        match self.probed(&txn_id).await {
            Ok(ended) => Outcome::new(txn_id, ended, None),
            Err(e) => Outcome::new(txn_id, Ended::Failed(e), None),
        }
    }

    async fn probed(&self, txn_id: &TxnId) -> Result<Ended> {
        let shared = &self.outbox.shared;
        let next_ms = shared.now_ms().saturating_add(MISSING_MS);
        let Some(row) = shared.row(txn_id).await? else { return Ok(Ended::Row(Box::new(None))) };
        let Some(event_id) = row.event_id.clone().filter(|_| row.state == PendingState::Sent) else {
            return Ok(Ended::Row(Box::new(Some(row))));
        };
        let asked = self.within(self.transport.event(&row.room, &event_id), shared.options.request_ms).await;
        match asked.unwrap_or(Lookup::Failed(Answer::NoAnswer)) {
            Lookup::Found(event) => self.confirm(row, event).await.map(|()| Ended::Row(Box::new(None))),
            Lookup::Missing => {
                let error = Some("the server does not show it any more".to_owned());
                if row.error != error {
                    let next = Pending { error, ..row.clone() };
                    shared.put(&row, next, WriteBatch::relaxed()).await?;
                }
                Ok(Ended::Probed(next_ms))
            }
            // An outage says nothing about the message.
            Lookup::Failed(answer) if !matches!(answer.verdict(false), Verdict::Park { .. }) => {
                Ok(Ended::Probed(shared.now_ms().saturating_add(AGAIN_MS)))
            }
            Lookup::Unknown | Lookup::Failed(_) => Ok(Ended::Probed(next_ms)),
        }
    }

    /// The event is there: the row goes, and the message stands at the end of its room until a sync says
    /// where it belongs.
    async fn confirm(&self, mut row: Pending, event: crate::Event) -> Result<()> {
        let shared = &self.outbox.shared;
        let mut retries = Retries::default();
        loop {
            let family = Family::read(&*shared.store, row.clone()).await?;
            let echo = Event::Echo(event.id.clone());
            let context = shared.context();
            let decided = step(&row, &echo, &context);
            let planned = plan(&family, &echo, &decided, &context, &*shared.protocol)?;
            let Some(mut batch) = planned else { return Ok(()) };
            if shared.store.room(&row.room).await?.is_some()
                && shared.store.message(&row.room, &event.id).await?.is_none()
            {
                let newest = shared.store.timeline(&row.room, Page::newest(1)).await?;
                let last = newest.items.last().map(haos_store_api::Item::position);
                let position = last.map_or(Some(Position::FIRST), |last| last.newer(1));
                if let Some(position) = position {
                    let message =
                        self.as_written(&row, event.clone()).into_message(row.room.clone(), position);
                    let txn_id = Some(row.txn_id.clone());
                    batch.put_message(Message { provisional: true, txn_id, ..message });
                }
            }
            if retries.committed(shared.store.apply(batch).await)?.is_some() {
                return Ok(());
            }
            let Some(now) = shared.row(&row.txn_id).await? else { return Ok(()) };
            row = now;
        }
    }

    /// The event, as what the user wrote where the server shows what was sealed of it.
    fn as_written(&self, row: &Pending, event: crate::Event) -> crate::Event {
        if row.wire.as_ref() != Some(&event.content) || row.wire_kind.as_ref() != Some(&event.kind) {
            return event;
        }
        let relation = self.outbox.shared.protocol.row_relation(row);
        crate::Event { kind: row.kind.clone(), content: row.content.clone(), relation, ..event }
    }
}
