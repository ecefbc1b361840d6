use std::future::{pending, ready};
use std::sync::Arc;

use haos_web::{sleep, timeout};
use wasm_bindgen_test::wasm_bindgen_test;

use super::{Wakes, poll_once};

#[wasm_bindgen_test]
async fn sleep_ends() {
    sleep(0).await;
    sleep(20).await;
}

#[wasm_bindgen_test]
async fn dropped_sleep_wakes_nobody() {
    let wakes = Arc::new(Wakes::default());
    let mut dropped = sleep(1);
    assert!(poll_once(&mut dropped, &wakes).is_pending());
    drop(dropped);
    sleep(30).await;
    assert_eq!(wakes.count(), 0);
}

#[wasm_bindgen_test]
async fn long_sleep_does_not_overflow() {
    for ms in [1 << 31, u32::MAX] {
        let wakes = Arc::new(Wakes::default());
        let mut long = sleep(ms);
        assert!(poll_once(&mut long, &wakes).is_pending());
        sleep(30).await;
        assert_eq!(wakes.count(), 0, "{ms}");
        assert!(poll_once(&mut long, &wakes).is_pending());
    }
}

#[wasm_bindgen_test]
async fn timeout_ends_what_does_not_end() {
    assert_eq!(timeout(pending::<()>(), 5).await, None);
    assert_eq!(timeout(ready(7), 0).await, Some(7));
    assert_eq!(timeout(sleep(1), 1 << 31).await, Some(()));
}
