use std::future::Future;
use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};
use futures_util::stream::FuturesUnordered;
use haos_store_api::backend::{SortedMap, SortedSet};
use haos_store_api::{Change, Changes, Result, Revision, RoomId, TxnId};

use super::Driver;
use super::attempt::{Begun, Outcome};
use super::gate::Gates;
use super::probe::Probes;
use crate::host::Sleep;
use crate::leader::Lead;
use crate::machine::Class;
use crate::outbox::Shared;
use crate::schedule::Schedule;

/// A sleep is never longer, so that a jump of the clock is noticed.
const NAP_MS: i64 = 30_000;

#[cfg(not(target_arch = "wasm32"))]
type Job<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;
#[cfg(target_arch = "wasm32")]
type Job<'a> = Pin<Box<dyn Future<Output = Outcome> + 'a>>;

/// One run of a driver.
pub(super) struct Run<'a> {
    pub(super) driver: &'a Driver,
    pub(super) shared: &'a Shared,
    pub(super) alone: bool,
    pub(super) changes: Changes,
    pub(super) schedule: Schedule,
    pub(super) jobs: FuturesUnordered<Job<'a>>,
    /// The jobs under way, by class, and how to stop an upload.
    pub(super) running: [usize; 3],
    pub(super) aborts: SortedMap<TxnId, AbortHandle>,
    pub(super) gates: Gates,
    pub(super) probes: Probes,
    /// Doubles while the store fails; nothing is begun until then.
    pub(super) store_wait_ms: u64,
    pub(super) store_until_ms: i64,
    pub(super) dirty: Vec<TxnId>,
    /// The latest change of rows under way: their job may have read them before it.
    pub(super) missed: SortedMap<TxnId, Revision>,
    /// Rooms that changed while something of theirs was under way, and those to look at again for it.
    pub(super) stirred: SortedSet<RoomId>,
    pub(super) recheck: Vec<RoomId>,
    /// The facts to be read again.
    pub(super) stale: Stale,
    /// The clock as it was seen last.
    last_ms: i64,
}

/// The facts to be read again before anything is begun.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// The whole outbox.
    pub(super) outbox: bool,
    /// The gates.
    pub(super) gates: bool,
    /// The rows that parked because of circumstances.
    pub(super) parked: bool,
    /// Staged bytes that no draft took.
    pub(super) staged: bool,
}

impl Stale {
    fn is_any(&self) -> bool {
        self.outbox || self.gates || self.parked || self.staged
    }
}

enum Wake {
    Job(Outcome),
    Change(Option<Change>),
    Wish,
    Time,
}

impl<'a> Run<'a> {
    pub(super) fn start(driver: &'a Driver, lead: Lead) -> Self {
        let shared = &*driver.outbox.shared;
        // Subscribed before the first read, so that nothing is missed in between.
        let changes = shared.store.changes();
        Self {
            driver,
            shared,
            alone: lead == Lead::Alone,
            changes,
            schedule: Schedule::new(&shared.options, &shared.owner, lead == Lead::Alone),
            jobs: FuturesUnordered::new(),
            running: [0; 3],
            aborts: SortedMap::new(),
            gates: Gates::default(),
            probes: Probes::default(),
            store_wait_ms: 0,
            store_until_ms: i64::MIN,
            dirty: Vec::new(),
            missed: SortedMap::new(),
            stirred: SortedSet::new(),
            recheck: Vec::new(),
            stale: Stale { outbox: true, staged: true, ..Stale::default() },
            last_ms: shared.now_ms(),
        }
    }

    pub(super) async fn run(mut self) -> Result<()> {
        let mut ending: Option<Sleep> = None;
        loop {
            let wishes = self.shared.take_wishes();
            if let Some(grace_ms) = wishes.stop_ms {
                ending = Some(self.shared.host.sleep(grace_ms));
            }
            let now_ms = self.shared.now_ms();
            // Waits that were measured by a clock that ran ahead would never end.
            if wishes.reset || now_ms.saturating_add(NAP_MS) < self.last_ms {
                self.reset();
            }
            self.last_ms = now_ms;
            self.refresh().await?;
            if ending.is_none() {
                // A stop that was asked for meanwhile is taken in the next round, and counts already.
                if !self.shared.is_stopping() {
                    self.begin();
                }
            } else if self.jobs.is_empty() {
                return Ok(());
            }
            let nap = self.nap(ending.is_some());
            let wake = tokio::select! {
                biased;
                change = self.changes.next() => Wake::Change(change),
                Some(outcome) = self.jobs.next() => Wake::Job(outcome),
                () = self.shared.notify.notified() => Wake::Wish,
                () = async { if let Some(ending) = &mut ending { ending.await } },
                    if ending.is_some() => return self.let_go().await,
                () = async { if let Some(nap) = nap { nap.await } else { std::future::pending().await } } => Wake::Time,
            };
            match wake {
                Wake::Job(outcome) => self.ended(outcome)?,
                Wake::Change(None) => return Ok(()),
                Wake::Change(Some(change)) => self.changed(change),
                Wake::Wish | Wake::Time => {}
            }
        }
    }

    /// How long there is nothing to do; none: until something happens.
    fn nap(&self, ending: bool) -> Option<Sleep> {
        let now_ms = self.shared.now_ms();
        let blocked_ms = self.gates.opens_ms().max(self.store_until_ms);
        let wake = self.schedule.wake_ms().map(|at| at.max(blocked_ms));
        let ready = self.schedule.has_ready().then_some(blocked_ms).filter(|at| *at > now_ms);
        let late = !self.dirty.is_empty() || !self.recheck.is_empty() || self.stale.is_any();
        let reads = late.then_some(self.store_until_ms);
        let probes = self.probes.wake_ms(&self.gates).map(|at| at.max(self.store_until_ms));
        // Once it ends, nothing is begun that could be due.
        let begins = wake.into_iter().chain(ready).chain(probes).filter(|_| !ending);
        let wake = begins.chain(reads).min().filter(|at| *at < i64::MAX)?;
        let ms = wake.saturating_sub(now_ms).clamp(1, NAP_MS);
        Some(self.shared.host.sleep(ms.unsigned_abs()))
    }

    /// Begins what may be begun.
    fn begin(&mut self) {
        let now_ms = self.shared.now_ms();
        if now_ms < self.store_until_ms {
            return;
        }
        for txn_id in self.schedule.tick(now_ms) {
            self.schedule.hold(&txn_id);
            self.spawn(txn_id.clone(), Class::Signal, Box::pin(self.driver.recover(txn_id, self.alone)));
        }
        for txn_id in self.schedule.expired(now_ms) {
            self.schedule.hold(&txn_id);
            self.spawn(txn_id.clone(), Class::Signal, Box::pin(self.driver.expire(txn_id)));
        }
        for txn_id in self.probes.due(now_ms, self.shared.options.echo_ms, &self.gates) {
            self.spawn(txn_id.clone(), Class::Signal, Box::pin(self.driver.probe(txn_id)));
        }
        if !self.gates.is_open(now_ms) {
            return;
        }
        let options = &self.shared.options;
        for (class, most) in [
            (Class::Event, options.parallel_rooms),
            (Class::Upload, options.parallel_uploads),
            (Class::Signal, usize::MAX),
        ] {
            // While nothing answers, one row tries for all.
            while self.running[class as usize] < most && (self.is_quiet(class) || !self.gates.is_failing()) {
                let Some(txn_id) = self.schedule.next(class) else { break };
                let children = self.schedule.has_children(&txn_id);
                let begun = Begun { children, resumed: self.gates.resumed() };
                self.spawn(txn_id.clone(), class, Box::pin(self.driver.attempt(txn_id, class, begun)));
            }
        }
    }

    /// Tells if nothing else is under way. A long upload does not count beside messages.
    fn is_quiet(&self, class: Class) -> bool {
        let uploads = if class == Class::Upload { 0 } else { self.running[Class::Upload as usize] };
        self.jobs.len() == uploads
    }

    pub(super) fn spawn(&mut self, txn_id: TxnId, class: Class, job: Job<'a>) {
        self.running[class as usize] += 1;
        if class != Class::Upload {
            self.jobs.push(Box::pin(async move { Outcome { class, ..job.await } }));
            return;
        }
        let (job, abort) = abortable(job);
        self.aborts.insert(txn_id.clone(), abort);
        self.jobs.push(Box::pin(async move {
            let outcome = job.await.unwrap_or_else(|_| Outcome::again(txn_id));
            Outcome { class, ..outcome }
        }));
    }

    fn reset(&mut self) {
        self.gates.reset(self.shared);
        self.schedule.reset();
        self.store_until_ms = i64::MIN;
        self.stale.parked = true;
    }
}
