//! Storage that the browser does not evict, and how much of it there is.
//!
//! Persistence is a matter of the whole origin, so this is kept once for each context.

use std::cell::Cell;

use haos_web::{estimate, persist, persisted};
use wasm_bindgen_futures::spawn_local;

/// Whether the browser may evict this origin's storage when the disk gets full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Persistence {
    /// Not known yet.
    Unknown,
    /// It may; it was not asked to keep it, or has not answered, or cannot be asked here (a worker).
    BestEffort,
    /// It promised not to.
    Persistent,
    /// It was asked and refused. Browsers decide by use: installed or bookmarked applications are granted it.
    Refused,
    /// The engine does not say.
    Unsupported,
}

thread_local! {
    static STATE: Cell<Persistence> = const { Cell::new(Persistence::Unknown) };
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// What is known of it now.
pub(crate) fn persistence() -> Persistence {
    STATE.get()
}

/// Looks, in the background, at what the browser says without being asked for more.
pub(crate) fn learn_persistence() {
    if STATE.get() == Persistence::Unknown {
        spawn_local(async {
            learn().await;
        });
    }
}

/// Asks the browser, in the background and once, to keep this origin's storage, unless it does so already.
///
/// The time for it is the first commit that stores what the user wrote: browsers that ask the user should do so
/// when there is something to lose, and those that decide by themselves count the use so far.
pub(crate) fn ask_persistence() {
    if ASKED.replace(true) {
        return;
    }
    spawn_local(async {
        if learn().await != Persistence::BestEffort {
            return;
        }
        match persist().await {
            Some(true) => STATE.set(Persistence::Persistent),
            Some(false) => STATE.set(Persistence::Refused),
            None => {}
        }
    });
}

async fn learn() -> Persistence {
    let now = match persisted().await {
        Some(true) => Persistence::Persistent,
        Some(false) => Persistence::BestEffort,
        None => Persistence::Unsupported,
    };
    // An answer to the question, which may have come meanwhile, says more.
    if STATE.get() != Persistence::Refused {
        STATE.set(now);
    }
    now
}

/// The bytes that this origin uses and may use, as the browser estimates them: advice, not a limit to count on.
pub(crate) async fn quota() -> Option<(u64, u64)> {
    estimate().await.map(|estimate| (estimate.usage, estimate.quota))
}
