//! The shared part of everything in a simulated world.

use std::sync::{Arc, Mutex, PoisonError};

use haos_store_api::{Commit, ErrorKind, Op, Pending, RoomId, WriteBatch, state_kind};

use super::server::ModelServer;
use super::store::{Log, classes};
use super::truth::{Truth, Written};
use super::world::{Chance, Clock};
use haos_queue::Session;

/// How the network and the storage behave, in percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// A request never arrives: the client surely knows.
    pub unsent: u64,
    /// A request never arrives.
    pub lost: u64,
    /// A request is processed and its answer never arrives.
    pub answer_lost: u64,
    /// A request arrives long after the client gave up.
    pub late: u64,
    /// An answer is cut off.
    pub truncated: u64,
    /// A proxy answers with an error.
    pub proxy: u64,
    /// A proxy answers with an error, though the request was processed.
    pub proxy_after: u64,
    /// The server wants quiet.
    pub limited: u64,
    /// The latency of a request, up to this number of milliseconds.
    pub latency_ms: u64,
    /// A call of the store fails.
    pub storage: u64,
    /// A commit's outcome is never told, and the store must be reopened, in 1,000 cases.
    pub outcome: u64,
}

#[derive(Debug)]
pub(super) struct Sim {
    pub(super) truth: Truth,
    pub(super) server: ModelServer,
    pub(super) chance: Chance,
    pub(super) faults: Faults,
    pub(super) log: Log,
    /// No network until this moment, by the virtual clock.
    pub(super) offline_ms: u64,
    /// A captive portal answers until this moment.
    pub(super) portal_ms: u64,
    /// The disk is full until this moment.
    pub(super) full_ms: u64,
    /// The next calls of the store fail.
    pub(super) fail_next: u64,
    /// The server's wishes for quiet: the context, until when.
    pub(super) quiet: Vec<(u32, u64, u64)>,
    /// Requests that arrive after their client gave up: when, whose, what.
    pub(super) late: Vec<(u64, Session, Pending)>,
    /// Contexts whose store must be opened again.
    pub(super) reopen: Vec<u32>,
    /// The faults are over.
    pub(super) settled: bool,
}

/// The shared state.
#[derive(Clone)]
pub(super) struct SharedSim {
    sim: Arc<Mutex<Sim>>,
    clock: Clock,
    /// Tells who waits in a long poll that the server has news.
    pub(super) news: Arc<tokio::sync::Notify>,
}

impl SharedSim {
    pub(super) fn new(server: ModelServer, clock: Clock, seed: u64, faults: Faults, traces: bool) -> Self {
        let sim = Sim {
            truth: Truth { traces, ..Truth::default() },
            server,
            chance: Chance::new(seed),
            faults,
            log: Log::default(),
            offline_ms: 0,
            portal_ms: 0,
            full_ms: 0,
            fail_next: 0,
            quiet: Vec::new(),
            late: Vec::new(),
            reopen: Vec::new(),
            settled: false,
        };
        Self { sim: Arc::new(Mutex::new(sim)), clock, news: Arc::default() }
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Sim) -> T) -> T {
        let mut sim = self.sim.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = sim.server.stream;
        let out = work(&mut sim);
        if sim.server.stream != stream {
            self.news.notify_waiters();
        }
        out
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn say(&self, line: impl FnOnce() -> String) {
        let at = self.clock.mono_ms();
        self.with(|sim| sim.truth.say(|| format!("{at:>10} {}", line())));
    }

    pub(super) fn storage_wait(&self) -> u64 {
        self.with(|sim| if sim.chance.percent(20) { sim.chance.below(30) } else { 0 })
    }

    pub(super) fn storage_fault(&self) -> Option<ErrorKind> {
        self.with(|sim| {
            if sim.fail_next > 0 {
                sim.fail_next -= 1;
            } else if !sim.chance.percent(sim.faults.storage) {
                return None;
            }
            sim.truth.count("storage: a call failed");
            Some(if sim.chance.percent(50) { ErrorKind::Busy } else { ErrorKind::Io })
        })
    }

    pub(super) fn is_full(&self, batch: &WriteBatch) -> bool {
        let now = self.clock.mono_ms();
        let grows = batch.ops().iter().any(|op| {
            matches!(op, Op::PutPending(_) | Op::PutMedia(..) | Op::PutMessage(_) | Op::PutState(_))
        });
        self.with(|sim| {
            let full = grows && now < sim.full_ms;
            if full {
                sim.truth.count("storage: full");
            }
            full
        })
    }

    pub(super) fn loses_outcome(&self) -> bool {
        self.with(|sim| {
            let loses = sim.chance.below(1000) < sim.faults.outcome;
            if loses {
                sim.truth.count("storage: an outcome was lost");
            }
            loses
        })
    }

    /// A batch was applied by a context; `rows`: the outbox rows in it, as they were and as they are.
    pub(super) fn committed(
        &self,
        owner: &str,
        batch: WriteBatch,
        commit: &Commit,
        rows: Vec<(Option<Pending>, Option<Pending>)>,
    ) {
        let now = (self.clock.mono_ms(), self.clock.wall_ms());
        self.with(|sim| {
            for (txn_id, room, class) in classes(&batch) {
                if let Some((_, seq)) = commit.assigned.iter().find(|(assigned, _)| assigned == txn_id) {
                    let written = Written { seq: *seq, room: room.clone(), class, at_ms: now.0 };
                    sim.truth.rows.insert(txn_id.clone(), written);
                }
            }
            for (old, new) in rows {
                // The user gave a refused row other content: another stands in its place.
                if let (Some(old), None) = (&old, &new)
                    && old.first_attempt_ms.is_some()
                    && classes(&batch).any(|(txn_id, room, _)| *room == old.room && *txn_id != old.txn_id)
                    && !commit.assigned.is_empty()
                {
                    // A row that was taken back stays so under its new name.
                    if !sim.truth.cancelled.insert(old.txn_id.clone()) {
                        sim.truth.cancelled.extend(commit.assigned.iter().map(|(txn_id, _)| txn_id.clone()));
                    }
                }
                let stays = |old: &Pending| classes(&batch).any(|(txn_id, ..)| *txn_id == old.txn_id);
                match (old, new) {
                    (Some(old), None) if stays(&old) => {}
                    (Some(old), None) => sim.truth.left(&old, &sim.server),
                    (old, Some(new)) => sim.truth.writes(owner, now, old.as_ref(), &new),
                    (None, None) => {}
                }
            }
            for op in batch.ops() {
                if let Op::PutState(entry) = op
                    && entry.kind.as_str() == state_kind::ENCRYPTED
                    && let Ok(room) = RoomId::new(entry.key.as_str())
                {
                    sim.truth.encrypted.insert(room);
                }
            }
            if commit.changed {
                sim.log.push(batch);
            }
        });
    }
}
