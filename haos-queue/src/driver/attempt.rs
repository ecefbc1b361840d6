use haos_store_api::{
    Error, ErrorKind, EventId, Page, Pending, PendingState, Result, StorageAdapterExt as _, TxnId, WriteBatch,
};

use super::Driver;
use super::gate::Net;
use super::seal::{Form, expect_open};
use crate::host::Sleep;
use crate::machine::{Class, Event, Step, Taken, step};
use crate::{Answer, OutboxOptions};

/// How far back the newest confirmed message of a room is looked for.
const ANCHOR_PAGE: usize = 16;

/// The outcome of a job.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) txn_id: TxnId,
    pub(super) class: Class,
    pub(super) ended: Ended,
    /// The consequence for the network.
    pub(super) net: Option<Net>,
    /// Not again before this moment.
    pub(super) later_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) enum Ended {
    /// The row as it is now; none: it is gone.
    Row(Box<Option<Pending>>),
    /// It must be read again.
    Again,
    /// Nothing was done; the row that it waits for must be read again, where it is named.
    Rest(Option<TxnId>),
    /// A sent row was asked for; not again before this moment.
    Probed(i64),
    /// The store failed.
    Failed(Error),
}

impl Outcome {
    pub(super) fn new(txn_id: TxnId, ended: Ended, net: Option<Net>) -> Self {
        Self { txn_id, class: Class::Event, ended, net, later_ms: None }
    }

    pub(super) fn again(txn_id: TxnId) -> Self {
        Self::new(txn_id, Ended::Again, None)
    }
}

/// The facts that held when an attempt began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Begun {
    /// Rows wait for this one.
    pub(super) children: bool,
    /// How often the account had been resumed.
    pub(super) resumed: u64,
}

/// How an attempt went.
#[derive(Debug, Default)]
pub(super) struct Tried {
    pub(super) row: Option<Pending>,
    pub(super) net: Option<Net>,
    /// Not again before this moment, whatever the row says.
    pub(super) later_ms: Option<i64>,
    /// The outcome could not be written down. What it says of the network holds nevertheless.
    pub(super) failed: Option<Error>,
}

impl Driver {
    /// Tries a row once.
    #[tracing::instrument(level = "debug", skip_all, fields(%txn_id, ?class))]
    pub(super) async fn attempt(&self, txn_id: TxnId, class: Class, begun: Begun) -> Outcome {
        match self.try_row(&txn_id, class, begun).await {
            Ok(Tried { failed: Some(e), net, .. }) => Outcome::new(txn_id, Ended::Failed(e), net),
            Ok(Tried { row, net, later_ms, .. }) => {
                Outcome { later_ms, ..Outcome::new(txn_id, Ended::Row(Box::new(row)), net) }
            }
            Err(e) if e.kind() == ErrorKind::Conflict => Outcome::again(txn_id),
            Err(e) => Outcome::new(txn_id, Ended::Failed(e), None),
        }
    }

    async fn try_row(&self, txn_id: &TxnId, class: Class, begun: Begun) -> Result<Tried> {
        let Some(row) = self.outbox.shared.row(txn_id).await? else { return Ok(Tried::default()) };
        if row.state != PendingState::Queued {
            return Ok(Tried { row: Some(row), ..Tried::default() });
        }
        if class == Class::Upload {
            return self.upload(row, begun).await;
        }
        let must_seal = match self.must_seal(&row).await {
            Ok(must_seal) => must_seal,
            Err(unready) => return self.unready(row, unready, begun).await,
        };
        if class == Class::Event && self.needs_proof(&row, must_seal) {
            return self.prove(row).await;
        }
        let form = match self.form(&row, must_seal).await {
            Ok(form) => form,
            Err(unready) => return self.unready(row, unready, begun).await,
        };
        let row = self.lease(row, form).await?;
        let options = &self.outbox.shared.options;
        let sending = self.transport.send(&row);
        let (answer, row) = self.hold(row.clone(), sending, Limit::Total(options.request_ms)).await;
        self.settle(row, answer.unwrap_or(Answer::NoAnswer), begun).await
    }

    /// Takes a row in the form in which it goes out: from here on it counts as perhaps sent, whatever happens.
    pub(super) async fn lease(&self, row: Pending, form: Form) -> Result<Pending> {
        let shared = &self.outbox.shared;
        let first = row.first_attempt_ms.is_none();
        let (sync_token, anchor) = match first {
            true => (shared.store.sync_token().await.unwrap_or_default(), self.anchor(&row).await?),
            false => (None, None),
        };
        let context = shared.context();
        let mut batch = WriteBatch::strict();
        let sealed = match form {
            Form::Held => None,
            Form::Open => {
                expect_open(&mut batch, &row.room)?;
                None
            }
            Form::New(sealed) => Some(sealed),
        };
        let taken = Taken {
            owner: shared.owner.clone(),
            until_ms: context.now_ms.saturating_add_unsigned(shared.options.lease_ms),
            device: self.session.device.clone(),
            sync_token,
            anchor,
            sealed,
        };
        let event = Event::Lease(taken);
        match step(&row, &event, &context) {
            Step::Put(next) => shared.put(&row, *next, batch).await,
            // Taken by somebody else between two reads: read again.
            _ => Err(Error::new(ErrorKind::Conflict, "lease", "the row is not waiting any more")),
        }
    }

    /// The newest message of the room that a sync confirmed.
    async fn anchor(&self, row: &Pending) -> Result<Option<EventId>> {
        if Class::of(row) != Class::Event {
            return Ok(None);
        }
        let newest = self.outbox.shared.store.timeline(&row.room, Page::newest(ANCHOR_PAGE)).await?;
        let confirmed = newest.messages().rfind(|message| !message.provisional);
        Ok(confirmed.map(|message| message.id.clone()))
    }

    /// Waits for a request, renewing the row's lease meanwhile. None: its time is over. Gives the row as
    /// it stands then.
    pub(super) async fn hold<T>(
        &self,
        mut row: Pending,
        request: impl Future<Output = T>,
        limit: Limit<'_>,
    ) -> (Option<T>, Pending) {
        let shared = &self.outbox.shared;
        let OutboxOptions { renew_ms, .. } = shared.options;
        let mut request = std::pin::pin!(request);
        let mut renew = shared.host.sleep(renew_ms);
        let mut limit = Timer::new(self, limit);
        let mut lost = false;
        loop {
            tokio::select! {
                biased;
                answer = &mut request => return (Some(answer), row),
                () = limit.over(self) => return (None, row),
                () = &mut renew => {
                    renew = shared.host.sleep(renew_ms);
                    // Whoever took the row decides about it; a success still counts.
                    if !lost {
                        lost = !self.renew(&mut row).await;
                    }
                }
            }
        }
    }

    /// Waits for a request that no row is leased for. None: its time is over.
    pub(super) async fn within<T>(&self, request: impl Future<Output = T>, ms: u64) -> Option<T> {
        let mut request = std::pin::pin!(request);
        let mut over = self.outbox.shared.host.sleep(ms);
        tokio::select! {
            biased;
            answer = &mut request => Some(answer),
            () = &mut over => None,
        }
    }

    /// Renews the lease; false if it is not ours any more.
    async fn renew(&self, row: &mut Pending) -> bool {
        let shared = &self.outbox.shared;
        let context = shared.context();
        let until_ms = context.now_ms.saturating_add_unsigned(shared.options.lease_ms);
        let Step::Put(next) = step(row, &Event::Renew { until_ms }, &context) else { return true };
        match shared.put(row, *next, WriteBatch::relaxed()).await {
            Ok(renewed) => *row = renewed,
            Err(e) if e.kind() == ErrorKind::Conflict => return false,
            // The lease may run out; its fence keeps what follows in order.
            Err(_) => {}
        }
        true
    }
}

/// How long a request may take.
pub(super) enum Limit<'a> {
    /// This number of milliseconds.
    Total(u64),
    /// This number of milliseconds without a change of this count.
    Stall(u64, &'a std::sync::atomic::AtomicU64),
}

struct Timer<'a> {
    limit: Limit<'a>,
    seen: u64,
    sleep: Sleep,
}

impl<'a> Timer<'a> {
    fn new(driver: &Driver, limit: Limit<'a>) -> Self {
        let (Limit::Total(ms) | Limit::Stall(ms, _)) = limit;
        Self { limit, seen: 0, sleep: driver.outbox.shared.host.sleep(ms) }
    }

    async fn over(&mut self, driver: &Driver) {
        loop {
            (&mut self.sleep).await;
            let Limit::Stall(ms, count) = &self.limit else { return };
            let now = count.load(std::sync::atomic::Ordering::Relaxed);
            if now == self.seen {
                return;
            }
            (self.seen, self.sleep) = (now, driver.outbox.shared.host.sleep(*ms));
        }
    }
}
