//! In a service worker.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_service_worker);

mod bodies;
