use std::sync::Arc;

use haos_web::{Lock, locks_available};
use wasm_bindgen_futures::spawn_local;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Wakes, counter, poll_once, unique, until};

/// Takes the lock as soon as it is free.
async fn taken(name: &str) -> Lock {
    loop {
        if let Some(lock) = Lock::try_acquire(name).await.unwrap() {
            return lock;
        }
        haos_web::sleep(1).await;
    }
}

#[wasm_bindgen_test]
async fn one_holder_at_a_time() {
    assert!(locks_available());
    let name = unique("one");
    let lock = Lock::try_acquire(&name).await.unwrap().unwrap();
    assert!(Lock::try_acquire(&name).await.unwrap().is_none());
    assert!(Lock::try_acquire(&unique("other")).await.unwrap().is_some());
    assert!(!lock.is_lost());
    drop(lock);
    drop(taken(&name).await);
}

#[wasm_bindgen_test]
async fn waits_in_order() {
    let name = unique("order");
    let lock = taken(&name).await;
    let turns = counter();
    for turn in 0..3 {
        let (name, turns) = (name.clone(), turns.clone());
        spawn_local(async move {
            let _lock = Lock::acquire(&name).await.unwrap();
            assert_eq!(turns.get(), turn);
            turns.set(turn + 1);
        });
    }
    haos_web::sleep(20).await;
    assert_eq!(turns.get(), 0, "held");
    drop(lock);
    until(|| turns.get() == 3).await;
}

#[wasm_bindgen_test]
async fn dropped_requests_hold_nothing() {
    let name = unique("withdrawn");
    let wakes = Arc::new(Wakes::default());
    // One that waits in the queue, and two that are about to be granted.
    let lock = taken(&name).await;
    let mut queued = Box::pin(Lock::acquire(&name));
    assert!(poll_once(&mut queued, &wakes).is_pending());
    drop(queued);
    drop(lock);
    let mut at_once = Box::pin(Lock::try_acquire(&name));
    assert!(poll_once(&mut at_once, &wakes).is_pending());
    drop(at_once);
    let mut granted = Box::pin(Lock::acquire(&name));
    assert!(poll_once(&mut granted, &wakes).is_pending());
    haos_web::sleep(20).await;
    drop(granted);
    // Whatever was granted is given back, so this ends.
    drop(Lock::acquire(&name).await.unwrap());
}

#[wasm_bindgen_test]
async fn stolen_lock_is_lost() {
    let name = unique("stolen");
    let old = taken(&name).await;
    let new = Lock::steal(&name).await.unwrap();
    until(|| old.is_lost()).await;
    assert!(!new.is_lost());
    drop(old);
    assert!(Lock::try_acquire(&name).await.unwrap().is_none(), "the thief holds it");
    drop(new);
    drop(taken(&name).await);
}

#[wasm_bindgen_test]
async fn refusals_are_errors() {
    // Names that begin with a hyphen are reserved.
    let error = Lock::try_acquire("-reserved").await.unwrap_err();
    assert_eq!(error.name(), "NotSupportedError");
    assert!(error.to_string().contains("navigator.locks"), "{error}");
}
