//! Storage that the browser does not evict, and its amount.
//!
//! Persistence concerns the whole origin, so this is kept once for each context.

use std::cell::Cell;

use haos_web::{estimate, persist, persisted};
use wasm_bindgen_futures::spawn_local;

/// The browser's right to evict this origin's storage when the disk gets full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Persistence {
    /// Not known yet.
    Unknown,
    /// It may evict; it was not asked to keep it, or has not answered, or cannot be asked here (a worker).
    BestEffort,
    /// It promised not to evict.
    Persistent,
    /// It was asked and refused. Browsers decide by use: installed or bookmarked applications are granted it.
    Refused,
    /// The engine does not tell.
    Unsupported,
}

thread_local! {
    static STATE: Cell<Persistence> = const { Cell::new(Persistence::Unknown) };
    static ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Returns the present knowledge of it.
pub(crate) fn persistence() -> Persistence {
    STATE.get()
}

/// Reads the browser's present state in the background, without asking it for more.
pub(crate) fn learn_persistence() {
    if STATE.get() == Persistence::Unknown {
        spawn_local(async {
            learn().await;
        });
    }
}

/// Asks the browser, in the background and once, to keep this origin's storage, unless it does so already.
///
/// The time for it is the first commit of user content: browsers that ask the user should do so when there is something
/// to lose, and those that decide by themselves count the use so far.
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
    // An answer to the question, which may have come meanwhile, tells more.
    if STATE.get() != Persistence::Refused {
        STATE.set(now);
    }
    now
}

/// Reads the bytes that this origin uses and may use, as the browser estimates them: advice, not a limit to count on.
pub(crate) async fn quota() -> Option<(u64, u64)> {
    estimate().await.map(|estimate| (estimate.usage, estimate.quota))
}
