use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use futures_util::FutureExt as _;
use haos_store_api::*;

use super::actor::Context;
use super::network::{Network, deliver};
use super::plan::Plan;
use super::protocol::SimProtocol;
use super::server::ModelServer;
use super::state::{Faults, SharedSim};
use super::store::FaultyStore;
use super::truth::{EXPIRY_MS, Violation};
use super::world::{Group, SimHost, World};
use haos_queue::machine::Class;
use haos_queue::{Outbox, OutboxOptions, Session};

/// Steps a run may take; more is a busy loop.
const STEPS: u64 = 400_000;
/// How long after the faults everything may take to be delivered, in virtual milliseconds.
const SETTLE_MS: u64 = 6 * 3_600_000;

/// The outcome of a run.
#[derive(Debug)]
pub struct Report {
    /// The first law that was broken.
    pub violation: Option<Violation>,
    /// How often each fault fired, and what else was counted.
    pub counters: BTreeMap<&'static str, u64>,
    /// The events, if they were asked for.
    pub trace: Vec<String>,
    /// Steps that tasks took.
    pub steps: u64,
    /// Virtual milliseconds.
    pub ms: u64,
    /// Rows that were enqueued.
    pub rows: usize,
}

/// Carries out a plan.
pub fn run(plan: &Plan, traces: bool) -> Report {
    let mut run = match Run::new(plan, traces) {
        Ok(run) => run,
        Err(e) => return Report::failed(&e),
    };
    for (gap_ms, action) in &plan.actions {
        run.pass(*gap_ms);
        if run.over() {
            break;
        }
        if traces {
            run.state.say(|| format!("{action:?}"));
        }
        run.act(action);
    }
    run.settle();
    run.report()
}

impl Report {
    fn failed(e: &Error) -> Self {
        let violation = Violation { law: "setup", what: e.to_string() };
        let (counters, trace) = (BTreeMap::new(), Vec::new());
        Self { violation: Some(violation), counters, trace, steps: 0, ms: 0, rows: 0 }
    }
}

pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: World,
    pub(super) state: SharedSim,
    pub(super) rows: MemoryStore,
    pub(super) contexts: BTreeMap<Group, Context>,
    /// Contexts that get no time, and until when.
    pub(super) frozen: BTreeMap<Group, u64>,
    pub(super) rooms: Vec<RoomId>,
    pub(super) user: UserId,
    /// How many devices have been, and starts of contexts.
    pub(super) devices: u32,
    pub(super) starts: u64,
    pub(super) steps: u64,
}

impl<'a> Run<'a> {
    fn new(plan: &'a Plan, traces: bool) -> Result<Self> {
        let world = World::new(plan.seed);
        let user = UserId::new("@me:sim")?;
        let mut server = ModelServer::new(user.clone());
        let rooms: Vec<RoomId> =
            (0..plan.rooms).map(|n| RoomId::new(format!("!room{n}"))).collect::<Result<_>>()?;
        rooms.iter().for_each(|room| server.create_room(room.clone()));
        server.device = Some("D0".to_owned());
        let state = SharedSim::new(server, world.clock.clone(), plan.seed, plan.faults, traces);
        let mut run = Self {
            plan,
            world,
            state,
            rows: MemoryStore::new(),
            contexts: BTreeMap::new(),
            frozen: BTreeMap::new(),
            rooms,
            user,
            devices: 0,
            starts: 0,
            steps: 0,
        };
        // Long before any timestamp is small enough to be mistaken for none.
        run.world.clock.jump(1_700_000_000_000);
        for group in 1..=plan.contexts {
            run.begin(group)?;
        }
        Ok(run)
    }

    /// A context starts, or starts again.
    fn begin(&mut self, group: Group) -> Result<()> {
        self.starts += 1;
        let owner = Arc::new(OnceLock::new());
        let store: Arc<dyn StorageAdapter> =
            Arc::new(FaultyStore::new(self.state.clone(), self.rows.clone(), owner.clone()));
        let seed = self.plan.seed.wrapping_mul(1000) + self.starts;
        let host = Arc::new(SimHost::new(self.world.clock.clone(), seed));
        let options = OutboxOptions { expiry_ms: EXPIRY_MS, ..OutboxOptions::default() };
        let outbox = Outbox::new(store.clone(), host, Arc::new(SimProtocol), options)?;
        let _ = owner.set(outbox.owner().to_owned());
        let session = Session { user: self.user.clone(), device: format!("D{}", self.devices) };
        let network = Network { state: self.state.clone(), session, group, rows: self.rows.clone() };
        let context = Context { state: self.state.clone(), store, rows: self.rows.clone(), outbox, network };
        self.world.spawn(group, context.clone().drive());
        self.world.spawn(group, context.clone().sync());
        if self.state.with(|sim| sim.settled) {
            self.world.spawn(group, context.clone().fill_all());
        }
        self.contexts.insert(group, context);
        Ok(())
    }

    pub(super) fn restart(&mut self, group: Group) {
        self.world.kill(group);
        self.frozen.remove(&group);
        // Nobody is left who was told to be quiet.
        self.state.with(|sim| {
            sim.quiet.retain(|(of, _, _)| *of != group);
            sim.truth.restarted(group);
        });
        self.contexts.remove(&group);
        if let Err(e) = self.begin(group) {
            self.state.with(|sim| sim.truth.broken("setup", e.to_string()));
        }
    }

    pub(super) fn restart_all(&mut self) {
        for group in 1..=self.plan.contexts {
            self.restart(group);
        }
    }

    fn over(&self) -> bool {
        self.steps >= STEPS || self.state.with(|sim| sim.truth.violation.is_some())
    }

    /// Lets virtual time pass, with what is due in it.
    pub(super) fn pass(&mut self, ms: u64) {
        let end = self.world.clock.mono_ms() + ms;
        loop {
            let now = self.world.clock.mono_ms();
            let late = self.state.with(|sim| sim.late.iter().map(|(at, _, _)| *at).min());
            let thaw = self.frozen.values().copied().min();
            let next = late.into_iter().chain(thaw).chain([end]).min().unwrap_or(end).max(now);
            let state = self.state.clone();
            let stop = || {
                let now = state.clock().mono_ms();
                state.with(|sim| {
                    let late = sim.late.iter().any(|(at, _, _)| *at <= now);
                    late || sim.truth.violation.is_some() || !sim.reopen.is_empty()
                })
            };
            self.steps += self.world.run(next - now, STEPS - self.steps.min(STEPS), stop);
            if self.over() {
                return;
            }
            for group in self.state.with(|sim| std::mem::take(&mut sim.reopen)) {
                self.restart(group);
            }
            let now = self.world.clock.mono_ms();
            self.state.with(|sim| {
                let (due, later) =
                    std::mem::take(&mut sim.late).into_iter().partition(|(at, _, _)| *at <= now);
                sim.late = later;
                let due: Vec<(u64, Session, Pending)> = due;
                for (_, session, row) in due {
                    sim.truth.count("network: a late request arrived");
                    let _ = deliver(sim, &session, &row, now);
                }
            });
            let warm: Vec<Group> =
                self.frozen.iter().filter(|(_, until)| **until <= now).map(|(group, _)| *group).collect();
            for group in warm {
                self.frozen.remove(&group);
                self.world.thaw(group);
            }
            if now >= end {
                return;
            }
        }
    }

    /// The faults stop; the user decides what only the user can; everything is delivered.
    fn settle(&mut self) {
        let device = format!("D{}", self.devices);
        self.state.say(|| "the faults are over".to_owned());
        self.state.with(|sim| {
            sim.faults = Faults { latency_ms: 50, ..Faults::default() };
            (sim.offline_ms, sim.portal_ms, sim.full_ms, sim.fail_next) = (0, 0, 0, 0);
            sim.server.device = Some(device);
            sim.settled = true;
            let rooms: Vec<RoomId> = sim.server.rooms.keys().cloned().collect();
            for room in rooms.iter().filter(|room| !sim.server.rooms[*room].member).collect::<Vec<_>>() {
                sim.server.set_member(room, true);
            }
        });
        for group in self.frozen.keys().copied().collect::<Vec<_>>() {
            self.world.thaw(group);
        }
        self.frozen.clear();
        self.log_in();
        if let Some((group, context)) = self.context(0) {
            self.world.spawn(group, context.fill_all());
        }
        let begun = self.world.clock.mono_ms();
        while !self.over() && self.world.clock.mono_ms() - begun < SETTLE_MS {
            self.pass(10 * 60_000);
            if self.outbox().is_empty() {
                self.pass(2 * 60_000);
                return self.compare();
            }
            self.decide();
        }
        if !self.over() {
            let left: Vec<String> =
                self.outbox().iter().map(|row| format!("{} {:?}", row.txn_id, row.state)).collect();
            self.state.with(|sim| sim.truth.broken("drain", format!("not delivered: {}", left.join(", "))));
        } else if self.steps >= STEPS {
            self.state.with(|sim| sim.truth.broken("busy", format!("{STEPS} steps and no end")));
        }
    }

    fn outbox(&self) -> Vec<Pending> {
        self.rows.pending(PendingQuery::default()).now_or_never().and_then(Result::ok).unwrap_or_default()
    }

    /// The user looks at what may have been sent, and retries the rest.
    fn decide(&mut self) {
        // A crash may have swallowed the login.
        self.log_in();
        let Some((group, context)) = self.context(0) else { return };
        for row in self.outbox() {
            match row.state {
                PendingState::Parked(ParkReason::Ambiguous | ParkReason::ParentFailed) => {
                    let there = self.state.with(|sim| {
                        sim.truth.count("the user decided");
                        sim.truth.events.contains_key(&row.txn_id)
                    });
                    if there || row.state == PendingState::Parked(ParkReason::ParentFailed) {
                        self.world.spawn(group, context.clone().cancel(row.txn_id));
                    } else {
                        self.world.spawn(group, context.clone().retry(row.txn_id));
                    }
                }
                // Its room was encrypted after the file was chosen.
                PendingState::Parked(ParkReason::Unsealed) if Class::of(&row) == Class::Upload => {
                    self.world.spawn(group, context.clone().cancel(row.txn_id));
                }
                PendingState::Parked(_) => self.world.spawn(group, context.clone().retry(row.txn_id)),
                _ => {}
            }
        }
    }

    /// Everything that was acknowledged is on the server, and the store holds what the server has.
    fn compare(&mut self) {
        self.state.with(|sim| {
            let missing = sim.truth.acknowledged.keys().find(|txn_id| {
                !sim.truth.events.contains_key(*txn_id) && !sim.truth.cancelled.contains(*txn_id)
            });
            if let Some(missing) = missing.cloned() {
                sim.truth.broken("I2", format!("{missing} was acknowledged and never arrived"));
            }
            super::timeline::check(&self.rows, &sim.server, &mut sim.truth);
            if let Err(wrong) = super::timeline::complete(&self.rows, &sim.server) {
                sim.truth.broken("I9", wrong);
            }
        });
    }

    fn report(self) -> Report {
        let ms = self.world.clock.mono_ms();
        self.state.with(|sim| Report {
            violation: sim.truth.violation.take(),
            counters: std::mem::take(&mut sim.truth.counters),
            trace: std::mem::take(&mut sim.truth.trace),
            steps: self.steps,
            ms,
            rows: sim.truth.rows.len(),
        })
    }
}
