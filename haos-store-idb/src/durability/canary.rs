//! The canary: a few counts beside IndexedDB, by which the next open knows that the browser erased the store.
//!
//! It costs no commit anything: it is written in the background, soon after an outbox row was added, else after some
//! seconds, and at once when the page goes.
//!
//! Its sight depends on the extent of the erasure. Chromium under storage pressure takes IndexedDB and the Cache API
//! and leaves `localStorage`, so a window sees it and a worker alone does not; a database that an engine gave up as
//! damaged, or that a user deleted by hand, is seen everywhere; an erasure of all storage of the origin leaves no
//! trace.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::{Poll, Waker};

use haos_web::{Beacon, Lock, Trigger, Triggers, now_ms, sleep, timeout};
use wasm_bindgen_futures::spawn_local;

use super::id::StoreId;
use super::mark::{Census, Mark};
use super::verdict::{Verdict, judge};

/// The longest wait of a change of the counts, unless outbox rows were added.
const LAZY_MS: u32 = 3000;

/// The least time between two writes.
const GAP_MS: u32 = 250;

/// The wait of a closing store for its last mark.
const FLUSH_MS: u32 = 2000;

/// The wait of a write for another context's.
const TURN_MS: u32 = 1000;

fn beacon(name: &str) -> Beacon {
    Beacon::new(format!("canary/{name}"))
}

async fn marks(beacon: &Beacon) -> Vec<Mark> {
    decode(&beacon.read().await)
}

fn decode(copies: &[String]) -> Vec<Mark> {
    copies.iter().filter_map(|copy| Mark::decode(copy)).collect()
}

/// Compares the store `name`, of the id `stored` or new, with its marks, before its first commit.
///
/// For an existing store this costs a look at `localStorage`, and no wait unless that knows another one.
pub(crate) async fn check(name: &str, stored: Option<StoreId>) -> Verdict {
    let beacon = beacon(name);
    if stored.is_some() {
        let now: Vec<_> = beacon.read_now().into_iter().collect();
        if judge(stored, &decode(&now)) == Verdict::Whole {
            return Verdict::Whole;
        }
    }
    judge(stored, &marks(&beacon).await)
}

/// Forgets the store `name`, which is deleted on purpose, so that the next open does not report it. A window does it
/// best, since a worker cannot reach a window's mark in `localStorage`.
pub(crate) async fn forget(name: &str) {
    let beacon = beacon(name);
    // In a worker, a possible mark of a window is overruled instead.
    let overruling = if beacon.can_write_now() { None } else { marks(&beacon).await.first().copied() };
    match overruling {
        Some(mark) => drop(beacon.write(&mark.tombstone().encode()).await),
        None => beacon.remove().await,
    }
}

/// Keeps the mark of one open store up to date, until it is dropped.
#[derive(Debug)]
pub(crate) struct Canary {
    state: Rc<Watched>,
    _triggers: Triggers,
}

#[derive(Debug)]
struct Watched {
    beacon: Beacon,
    lock: String,
    id: StoreId,
    latest: Cell<Option<Census>>,
    written: Cell<Option<Census>>,
    urgent: Cell<bool>,
    /// True if a task is writing, or waiting to.
    running: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Canary {
    /// Makes the canary of the store `name`; nothing is written before the first [`Canary::note`].
    pub(crate) fn start(name: &str, id: StoreId) -> Self {
        let state = Rc::new(Watched {
            beacon: beacon(name),
            lock: format!("haos-canary/{name}"),
            id,
            latest: Cell::new(None),
            written: Cell::new(None),
            urgent: Cell::new(false),
            running: Cell::new(false),
            waker: RefCell::new(None),
        });
        let weak = Rc::downgrade(&state);
        let triggers = Triggers::listen(move |trigger| {
            if matches!(trigger, Trigger::Hidden | Trigger::PageHide { .. } | Trigger::Freeze)
                && let Some(state) = weak.upgrade()
            {
                state.write_now();
            }
        });
        Self { state, _triggers: triggers }
    }

    /// Notes the store's counts after a commit, to be written soon if they matter.
    pub(crate) fn note(&self, census: Census) {
        let state = &self.state;
        if state.latest.get().is_some_and(|latest| latest.revision > census.revision) {
            return;
        }
        state.latest.set(Some(census));
        if state.due().is_none() {
            return;
        }
        if census.unsent > state.written.get().map_or(0, |written| written.unsent) {
            state.urgent.set(true);
            state.wake();
        }
        if !state.running.replace(true) {
            spawn_local(run(Rc::downgrade(state)));
        }
    }

    /// Writes the noted counts that are not written yet, unless the browser takes too long for it.
    pub(crate) async fn flush(&self) {
        let _ = timeout(self.state.write(), FLUSH_MS).await;
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        // The task that waits finds the state gone, and ends.
        self.state.urgent.set(true);
        self.state.wake();
    }
}

impl Watched {
    fn wake(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Returns the counts to write, if they changed.
    fn due(&self) -> Option<Census> {
        let latest = self.latest.get()?;
        (!self.written.get().is_some_and(|written| written.same_counts(latest))).then_some(latest)
    }

    fn mark(&self, census: Census) -> Mark {
        Mark { id: self.id, census, written_ms: now_ms() }
    }

    async fn write(&self) {
        if self.due().is_none() {
            return;
        }
        // Nobody writes between the read and the write, or for long: a frozen page is not waited for.
        let _turn = timeout(Lock::acquire(&self.lock), TURN_MS).await;
        let Some(census) = self.due() else { return };
        self.urgent.set(false);
        // If another context was later, its mark is copied to the places that it could not write.
        let mut marks = marks(&self.beacon).await;
        marks.push(self.mark(census));
        if let Some(mark) = Mark::latest(&marks, self.id) {
            // If it cannot be written, another attempt would not help.
            self.beacon.write(&mark.encode()).await;
        }
        self.written.set(Some(census));
    }

    /// Writes the part that a closing page has time for. The rest stays due, if there is a later.
    fn write_now(&self) {
        if let Some(census) = self.due() {
            let mut marks = decode(&self.beacon.read_now().into_iter().collect::<Vec<_>>());
            marks.push(self.mark(census));
            if let Some(mark) = Mark::latest(&marks, self.id) {
                self.beacon.write_now(&mark.encode());
            }
        }
    }
}

/// Writes until nothing is due. It holds the state only while it writes.
async fn run(state: Weak<Watched>) {
    loop {
        lazily(&state).await;
        match state.upgrade() {
            None => return,
            Some(state) => {
                state.write().await;
                if state.due().is_none() {
                    state.running.set(false);
                    return;
                }
            }
        }
        sleep(GAP_MS).await;
    }
}

/// Waits until it is urgent, or late.
async fn lazily(state: &Weak<Watched>) {
    let mut limit = pin!(sleep(LAZY_MS));
    poll_fn(|context| match state.upgrade() {
        Some(state) if !state.urgent.get() => {
            state.waker.replace(Some(context.waker().clone()));
            limit.as_mut().poll(context)
        }
        _ => Poll::Ready(()),
    })
    .await;
}
