//! A client over the model, in a world of its own.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt as _;
use haos_matrix::{Engine, FillOptions, MatrixProtocol, SyncOptions};
use haos_queue::pressure::{Kept, PressureOptions};
use haos_queue::{ConnectionState, Outbox, OutboxOptions, Running};
use haos_sim::{Blows, Brittle, Group, SimHost, World, compare_timeline};
use haos_store_api::*;

use crate::model::ME;
use crate::wire::Wire;

/// Steps that are a busy loop.
const STEPS: u64 = 2_000_000;
const HOUR_MS: u64 = 3_600_000;

pub(crate) struct Client {
    pub(crate) world: World,
    pub(crate) wire: Arc<Wire>,
    pub(crate) rows: MemoryStore,
    pub(crate) plan: Arc<Mutex<Blows>>,
    pub(crate) options: SyncOptions,
    pub(crate) pressure: Option<PressureOptions>,
    pub(crate) outbox: Outbox,
    pub(crate) engine: Engine,
    group: Group,
    seed: u64,
}

pub(crate) fn room(name: &str) -> RoomId {
    RoomId::new(name).unwrap()
}

/// Nothing is filled but on demand.
pub(crate) fn options() -> SyncOptions {
    SyncOptions { fill: FillOptions::off(), page: 7, ..SyncOptions::default() }
}

impl Client {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(seed, options(), false)
    }

    pub(crate) fn with(seed: u64, options: SyncOptions, sliding: bool) -> Self {
        let world = World::new(seed);
        world.clock.jump(1_700_000_000_000);
        let wire = Wire::new(world.clock.clone(), seed, sliding);
        let (rows, plan) = (MemoryStore::new(), Arc::<Mutex<Blows>>::default());
        let (outbox, engine) = context(&world, &wire, &rows, &plan, &options, None, seed);
        Self { world, wire, rows, plan, options, pressure: None, outbox, engine, group: 1, seed }
    }

    /// The process starts, again if it ran before.
    pub(crate) fn start(&mut self) {
        self.world.kill(self.group);
        self.group += 1;
        self.plan.lock().unwrap().dead = false;
        (self.outbox, self.engine) = self.another();
        self.spawn(self.engine.clone());
    }

    /// Another context over the same store.
    pub(crate) fn another(&mut self) -> (Outbox, Engine) {
        self.seed += 1;
        context(
            &self.world,
            &self.wire,
            &self.rows,
            &self.plan,
            &self.options,
            self.pressure.clone(),
            self.seed,
        )
    }

    pub(crate) fn spawn(&mut self, engine: Engine) {
        self.spawn_running(engine.run());
    }

    /// Something that goes on until the store is closed.
    pub(crate) fn spawn_running(&mut self, run: Running) {
        self.world.spawn(self.group, async move {
            let ended = run.await;
            assert!(ended.is_err_and(|e| e.kind() == ErrorKind::Closed), "it ended by itself");
        });
    }

    pub(crate) fn kill(&mut self) {
        self.world.kill(self.group);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, ms: u64) {
        let steps = self.world.run(ms, STEPS, || false);
        assert!(steps < STEPS, "a busy loop");
    }

    /// Lets time pass until something is so.
    pub(crate) fn until(&mut self, what: &str, mut so: impl FnMut(&MemoryStore, &ConnectionState) -> bool) {
        let (rows, connection) = (self.rows.clone(), self.outbox.connection());
        let mut check = move || so(&rows, &connection.borrow());
        let steps = self.world.run(24 * HOUR_MS, STEPS, &mut check);
        assert!(steps < STEPS, "a busy loop before: {what}");
        assert!(check(), "never: {what}; {:?}; {:?}", self.state(), self.wire.asked("").last());
    }

    pub(crate) fn state(&self) -> ConnectionState {
        self.outbox.connection().borrow().clone()
    }

    /// Lets time pass until everything the server has is synced, or the process is dead.
    pub(crate) fn caught_up(&mut self) -> bool {
        let (wire, plan) = (self.wire.clone(), self.plan.clone());
        let dead = move || plan.lock().unwrap().dead;
        let over = dead.clone();
        self.until("caught up", move |rows, state| {
            let seen = token(rows).and_then(|token| wire.model().place(&token));
            over() || (seen == Some(wire.model().stream) && *state == ConnectionState::Live)
        });
        !dead()
    }

    /// Carries out something in the world.
    pub(crate) fn act<T: Send + 'static>(&mut self, task: impl Future<Output = T> + Send + 'static) -> T {
        let done = Arc::new(Mutex::new(None));
        let place = done.clone();
        self.world.spawn(0, async move {
            let value = task.await;
            *place.lock().unwrap() = Some(value);
        });
        self.world.run(24 * HOUR_MS, STEPS, || done.lock().unwrap().is_some());
        let value = done.lock().unwrap().take();
        value.unwrap_or_else(|| panic!("it never ended"))
    }

    pub(crate) fn items(&self, id: &str) -> Vec<Item> {
        let slice = self.rows.timeline(&room(id), Page::oldest(usize::MAX)).now_or_never().unwrap();
        slice.unwrap().items
    }

    pub(crate) fn stored(&self, id: &str) -> Option<Room> {
        self.rows.room(&room(id)).now_or_never().unwrap().unwrap()
    }

    pub(crate) fn gaps(&self, id: &str) -> Vec<Gap> {
        self.rows.gaps(&room(id)).now_or_never().unwrap().unwrap()
    }

    /// Fills every gap of every room, whatever fails meanwhile; false if the process died at it.
    pub(crate) fn fill_all(&mut self) -> bool {
        let ids: Vec<String> = self.wire.model().rooms.keys().cloned().collect();
        for id in ids {
            for tries in 0.. {
                assert!(tries < 10_000, "{id} is never filled");
                let Some(gap) = self.gaps(&id).pop() else { break };
                let (engine, plan, id) = (self.engine.clone(), self.plan.clone(), room(&id));
                let host = self.outbox.host().clone();
                let died = async move {
                    while !plan.lock().unwrap().dead {
                        host.sleep(1000).await;
                    }
                };
                let filling = async move {
                    tokio::select! {
                        filled = engine.fill(&id, &gap) => drop(filled),
                        () = died => {}
                    }
                };
                self.act(filling);
                if self.plan.lock().unwrap().dead {
                    return false;
                }
            }
        }
        true
    }

    /// The token never ran ahead, no event is misplaced, no hole is without its gap.
    pub(crate) fn check(&self) {
        let model = self.wire.model();
        let seen = token(&self.rows).and_then(|token| model.place(&token)).unwrap_or(0);
        for (id, room) in &model.rooms {
            if room.own_at(seen) != "join" {
                continue;
            }
            let ids: Vec<(u64, EventId)> = room
                .events
                .iter()
                .map(|kept| (kept.stream, EventId::new(kept.json["event_id"].as_str().unwrap()).unwrap()))
                .collect();
            let truth: Vec<_> = ids.iter().map(|(stream, id)| (*stream, id)).collect();
            compare_timeline(&self.items(id), &truth, seen).unwrap_or_else(|e| panic!("{id}: {e}"));
        }
    }

    /// Every room is stored from its first event to its last, without a gap.
    pub(crate) fn check_complete(&self) {
        self.check();
        for (id, room) in &self.wire.model().rooms {
            let items = self.items(id);
            let stored: Vec<_> = items.iter().map(|item| item.as_message().unwrap().id.to_string()).collect();
            let truth: Vec<_> =
                room.events.iter().map(|kept| kept.json["event_id"].as_str().unwrap()).collect();
            assert_eq!(stored, truth, "{id}");
        }
    }
}

pub(crate) fn token(rows: &MemoryStore) -> Option<String> {
    rows.sync_token().now_or_never().unwrap().unwrap()
}

fn context(
    world: &World,
    wire: &Arc<Wire>,
    rows: &MemoryStore,
    plan: &Arc<Mutex<Blows>>,
    options: &SyncOptions,
    pressure: Option<PressureOptions>,
    seed: u64,
) -> (Outbox, Engine) {
    let store = Arc::new(Brittle::new(rows.clone(), plan.clone()));
    let host = Arc::new(SimHost::new(world.clock.clone(), seed));
    let (protocol, queue) = (Arc::new(MatrixProtocol), OutboxOptions::default());
    let store: Arc<dyn StorageAdapter> = match pressure {
        Some(pressure) => Arc::new(Kept::new(store, host.clone(), pressure)),
        None => store,
    };
    let outbox = Outbox::new(store, host, protocol, queue).unwrap();
    let user = UserId::new(ME).unwrap();
    let engine = Engine::new(wire.clone(), outbox.clone(), user, options.clone());
    (outbox, engine)
}
