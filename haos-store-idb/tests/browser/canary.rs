//! The canary and the browser's answers about its storage.

use haos_store_api::Revision;
use haos_web::{Beacon, sleep};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

use crate::durability::{
    Canary, Census, Persistence, StoreId, Verdict, ask_persistence, check, forget, learn_persistence,
    persistence, quota,
};

pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", StoreId::random())
}

pub(crate) fn census(rooms: u64, unsent: u64, revision: u64) -> Census {
    Census { rooms, unsent, revision: Revision(revision) }
}

/// Returns the counts in the report of an erased store; `None` if nothing is missing.
pub(crate) async fn missing(name: &str, id: Option<StoreId>) -> Option<(u64, u64)> {
    match check(name, id).await {
        Verdict::Erased(erased) => Some((erased.rooms, erased.unsent)),
        Verdict::Whole => None,
    }
}

/// Waits until the mark has these counts; the runner's own limit ends a test that waits in vain.
pub(crate) async fn until_missing(name: &str, wanted: (u64, u64)) {
    while missing(name, None).await != Some(wanted) {
        sleep(10).await;
    }
}

#[wasm_bindgen_test]
async fn erased_store_is_reported_until_its_successor_writes() {
    let (name, id) = (unique("erased"), StoreId::random());
    assert_eq!(missing(&name, None).await, None, "never seen");
    let canary = Canary::start(&name, id);
    canary.flush().await;
    assert_eq!(missing(&name, None).await, None, "nothing noted");
    canary.note(census(3, 2, 1));
    canary.flush().await;
    drop(canary);
    assert_eq!(missing(&name, Some(id)).await, None, "it is there");
    assert_eq!(missing(&name, None).await, Some((3, 2)));
    let again = StoreId::random();
    let canary = Canary::start(&name, again);
    canary.note(census(0, 1, 1));
    canary.flush().await;
    assert_eq!(missing(&name, Some(again)).await, None);
    assert_eq!(missing(&name, None).await, Some((0, 1)), "revisions start over");
    forget(&name).await;
    assert_eq!(missing(&name, None).await, None, "deleted on purpose");
}

#[wasm_bindgen_test]
async fn deleted_store_is_not_missed() {
    let (name, id) = (unique("deleted"), StoreId::random());
    let canary = Canary::start(&name, id);
    canary.note(census(1, 1, 1));
    canary.flush().await;
    forget(&name).await;
    assert_eq!(missing(&name, None).await, None);
    forget(&name).await;
    assert_eq!(missing(&name, Some(StoreId::random())).await, None);
}

#[wasm_bindgen_test]
async fn writes_by_itself() {
    let name = unique("itself");
    let canary = Canary::start(&name, StoreId::random());
    // A new outbox row is written soon, and many do not delay it.
    for unsent in 1..=300 {
        canary.note(census(1, unsent, unsent));
    }
    until_missing(&name, (1, 300)).await;
    for (rooms, unsent, revision) in [(1, 301, 301), (1, 0, 302), (2, 0, 303)] {
        canary.note(census(rooms, unsent, revision));
    }
    until_missing(&name, (2, 0)).await;
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn late_context_does_not_overwrite() {
    let (name, id) = (unique("late"), StoreId::random());
    let (early, late) = (Canary::start(&name, id), Canary::start(&name, id));
    late.note(census(1, 1, 10));
    early.note(census(2, 0, 11));
    early.flush().await;
    late.flush().await;
    assert_eq!(missing(&name, None).await, Some((2, 0)));
    early.note(census(9, 9, 3));
    early.flush().await;
    assert_eq!(missing(&name, None).await, Some((2, 0)), "notes out of order");
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn damaged_mark_is_none() {
    let name = unique("damaged");
    Beacon::new(format!("canary/{name}")).write("haos-canary/9 who knows").await;
    assert_eq!(missing(&name, None).await, None);
    forget(&name).await;
}

#[wasm_bindgen_test]
async fn dropped_canary_writes_no_more() {
    let name = unique("dropped");
    let canary = Canary::start(&name, StoreId::random());
    canary.note(census(1, 1, 1));
    drop(canary);
    sleep(50).await;
    assert_eq!(missing(&name, None).await, None);
}

#[wasm_bindgen_test]
async fn persistence_and_quota() {
    learn_persistence();
    while persistence() == Persistence::Unknown {
        sleep(1).await;
    }
    ask_persistence();
    ask_persistence();
    sleep(100).await;
    console_log!("{:?}, {:?}", persistence(), quota().await);
    let unsupported = persistence() == Persistence::Unsupported;
    assert_eq!(quota().await.is_none(), unsupported, "engines have both or neither");
}
