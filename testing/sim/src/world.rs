//! Virtual time and a deterministic executor: one thread, one seed, the same run every time.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use haos_queue::{Host, Sleep};

/// Chance that a seed decides (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The chance of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.bits() % end }
    }

    /// True in `percent` of 100 cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len() as u64) as usize;
        from.get(index)
    }
}

/// A group of tasks that live and die together: a context.
pub type Group = u32;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Time {
    /// The clock of timers.
    mono_ms: u64,
    /// The offset of the wall's clock.
    wall_ms: i64,
    timers: BTreeMap<(u64, u64), Waker>,
    next: u64,
}

/// The clock, and the tasks that wait for it.
#[derive(Clone, Default)]
pub struct Clock(Arc<Mutex<Time>>);

impl Clock {
    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Virtual milliseconds since the beginning, whatever the wall says.
    pub fn mono_ms(&self) -> u64 {
        self.time().mono_ms
    }

    /// The time of the wall's clock.
    pub fn wall_ms(&self) -> i64 {
        let time = self.time();
        time.wall_ms.saturating_add_unsigned(time.mono_ms)
    }

    /// Sets the clock on the wall by this much.
    pub fn jump(&self, ms: i64) {
        self.time().wall_ms += ms;
    }

    /// Ends after this number of virtual milliseconds.
    pub fn sleep(&self, ms: u64) -> Sleep {
        let mut time = self.time();
        time.next += 1;
        let key = (time.mono_ms.saturating_add(ms), time.next);
        Box::pin(Timer { clock: self.clone(), key })
    }

    /// Goes on to the next timer; false if nobody waits.
    fn advance(&self) -> bool {
        let mut time = self.time();
        let Some((&(at, id), _)) = time.timers.first_key_value() else { return false };
        time.mono_ms = time.mono_ms.max(at);
        if let Some(waker) = time.timers.remove(&(at, id)) {
            drop(time);
            waker.wake();
        }
        true
    }
}

struct Timer {
    clock: Clock,
    key: (u64, u64),
}

impl Future for Timer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut time = self.clock.time();
        if time.mono_ms >= self.key.0 {
            time.timers.remove(&self.key);
            return Poll::Ready(());
        }
        time.timers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.clock.time().timers.remove(&self.key);
    }
}

/// A context's [`Host`]: the world's clock and a chance of its own.
pub struct SimHost {
    clock: Clock,
    chance: Mutex<Chance>,
}

impl SimHost {
    /// A host over the world's clock.
    pub fn new(clock: Clock, seed: u64) -> Self {
        Self { clock, chance: Mutex::new(Chance::new(seed)) }
    }
}

impl Host for SimHost {
    fn now_ms(&self) -> i64 {
        self.clock.wall_ms()
    }

    fn steady_ms(&self) -> u64 {
        self.clock.mono_ms()
    }

    fn sleep(&self, ms: u64) -> Sleep {
        self.clock.sleep(ms)
    }

    fn random(&self) -> u64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).bits()
    }
}

#[derive(Default)]
struct Ready(Mutex<BTreeSet<u64>>);

struct Woken {
    ready: Arc<Ready>,
    id: u64,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.ready.0.lock().unwrap_or_else(PoisonError::into_inner).insert(self.id);
    }
}

/// The executor.
pub struct World {
    /// The clock of everything in it.
    pub clock: Clock,
    chance: Chance,
    tasks: BTreeMap<u64, (Group, Task)>,
    ready: Arc<Ready>,
    next: u64,
    frozen: BTreeSet<Group>,
}

impl World {
    /// An empty world.
    pub fn new(seed: u64) -> Self {
        Self {
            clock: Clock::default(),
            chance: Chance::new(seed),
            tasks: BTreeMap::new(),
            ready: Arc::default(),
            next: 0,
            frozen: BTreeSet::new(),
        }
    }

    /// Begins a task of a group.
    pub fn spawn(&mut self, group: Group, task: impl Future<Output = ()> + Send + 'static) {
        self.next += 1;
        self.tasks.insert(self.next, (group, Box::pin(task)));
        self.wake(self.next);
    }

    fn wake(&self, id: u64) {
        self.ready.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
    }

    /// Ends every task of a group where it stands.
    pub fn kill(&mut self, group: Group) {
        self.tasks.retain(|_, (of, _)| *of != group);
        self.frozen.remove(&group);
    }

    /// Tasks of the group get no time until [`thaw`](Self::thaw).
    pub fn freeze(&mut self, group: Group) {
        self.frozen.insert(group);
    }

    /// Undoes [`freeze`](Self::freeze).
    pub fn thaw(&mut self, group: Group) {
        self.frozen.remove(&group);
    }

    /// Runs a task that is ready, one of several by chance; false if none is.
    fn step(&mut self) -> bool {
        let ready: Vec<u64> = {
            let mut ready = self.ready.0.lock().unwrap_or_else(PoisonError::into_inner);
            ready.retain(|id| self.tasks.contains_key(id));
            let frozen = |id: &u64| self.tasks.get(id).is_some_and(|(group, _)| self.frozen.contains(group));
            ready.iter().copied().filter(|id| !frozen(id)).collect()
        };
        let Some(id) = self.chance.pick(&ready).copied() else { return false };
        self.ready.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let waker = Waker::from(Arc::new(Woken { ready: self.ready.clone(), id }));
        let done = self
            .tasks
            .get_mut(&id)
            .is_some_and(|(_, task)| task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        if done {
            self.tasks.remove(&id);
        }
        true
    }

    /// Runs for this number of virtual milliseconds, or until `until` says so; gives the steps it took, up to
    /// `most`.
    pub fn run(&mut self, ms: u64, most: u64, mut until: impl FnMut() -> bool) -> u64 {
        let end = self.clock.mono_ms().saturating_add(ms);
        let mut alarm = self.clock.sleep(ms);
        let mut steps = 0;
        // The alarm's timer is set by polling it once.
        let _ = alarm.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        while steps < most && !until() {
            if self.step() {
                steps += 1;
            } else if self.clock.mono_ms() >= end || !self.clock.advance() {
                break;
            }
        }
        steps
    }
}
